"""Every HTTP function of the app, called through Microsoft's worker library."""

import csv
import io
import re
import socket
from urllib.parse import quote, urlsplit

import pytest

from devkit.local_host.process import HostProcess, Reply
from devkit.simulator import Fault
from tests.app.conftest import JOB, RUNS, UNCHANGED, Json, World, start_run, wait_ended
from tests.docs.checkout import ROOT

LISTED = {
    "id", "job", "mode", "trigger", "requested", "requested_by", "requested_by_verified", "scheduled_for",
    "scheduled_local", "timezone", "past_due", "scope", "status", "attempt", "started", "ended", "progress", "counts",
    "subscriptions", "outputs", "plan", "order", "undoes", "invocation_id", "error", "version", "links",
}  # fmt: skip


def problem(reply: Reply, status: int) -> str:
    """Check that an answer is a problem (RFC 9457) and give its detail."""
    assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json")
    body = reply.json()
    assert set(body) - {"runbook"} == {"type", "title", "status", "detail"}
    assert "runbook" not in body or (ROOT / body["runbook"]).is_file()
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert "Traceback" not in reply.text
    detail: str = body["detail"]
    return detail


class TestLiveAndHealth:
    """Is the app there, and is it well?"""

    def test_live_is_open_and_says_nothing(self, host: HostProcess) -> None:
        """`GET live` needs no key and has an empty body."""
        reply = host.call("GET", "/api/live", key=None)

        assert (reply.status, reply.body) == (200, b"")

    def test_health_of_a_whole_configuration(self, host: HostProcess) -> None:
        """`GET health` answers 200 and no problems."""
        reply = host.call("GET", "/api/health", key="reader")

        assert (reply.status, reply.json()) == (200, {"status": "healthy", "problems": []})

    @pytest.mark.usefixtures("finished")
    def test_health_in_depth(self, host: HostProcess, demo_world: World) -> None:
        """`GET health?deep=1` has the checks of `steward doctor`, and no secret; what they say changes no status."""
        demo_world.simulator.faults.add(Fault(route="logs", kind="status", status=404))

        reply = host.call("GET", "/api/health?deep=1", key="reader")

        told = reply.json()
        results = {each["what"]: each["result"] for each in told["checks"]}
        assert (reply.status, told["status"], told["problems"]) == (200, "healthy", [])
        assert (results["identity"], results["store"], results["log workspace"]) == ("ok", "ok", "failed")
        assert results["other apps"] == "ok", "the worker has left word of itself"
        assert results.keys() >= {"python", "packages", "schedules", "subscriptions", "role Steward Reader"}
        assert not [secret for secret in demo_world.secrets() if secret in reply.text]
        assert "failed unexpectedly" not in host.log

    def test_health_in_depth_is_asked_for_with_1(self, host: HostProcess) -> None:
        assert host.call("GET", "/api/health?deep=yes", key="reader").status == 400


class TestKeys:
    """Who may call what."""

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/api/health"),
            ("GET", "/api/jobs"),
            ("GET", f"/api/jobs/{JOB}"),
            ("POST", RUNS),
            ("GET", "/api/runs"),
            ("GET", "/api/runs/x"),
            ("POST", "/api/runs/x/cancel"),
            ("GET", "/api/runs/x/report"),
            ("GET", "/api/runs/x/findings"),
            ("GET", "/api/plans"),
            ("GET", "/api/plans/x"),
            ("POST", "/api/plans/x/apply"),
            ("POST", "/api/runs/x/undo"),
            ("GET", "/api/stop"),
            ("PUT", "/api/stop"),
            ("DELETE", "/api/stop"),
        ],
    )
    def test_nothing_without_a_key(self, host: HostProcess, method: str, path: str) -> None:
        """Without a key, and with a wrong one, every function but `live` answers 401."""
        assert host.call(method, path, key=None).status == 401
        assert host.call(method, path, key=None, headers={"x-functions-key": "guessed"}).status == 401

    def test_a_reader_starts_nothing(self, host: HostProcess, finished: Json) -> None:
        """The reader key opens the GET functions and none that starts or stops a run."""
        before = len(host.call("GET", "/api/runs?limit=200", key="reader").json()["runs"])

        assert host.call("POST", RUNS, {}, key="reader").status == 401
        assert host.call("POST", f"/api/runs/{finished['id']}/cancel", key="reader").status == 401
        assert len(host.call("GET", "/api/runs?limit=200", key="reader").json()["runs"]) == before

    def test_admin_needs_the_master_key(self, host: HostProcess) -> None:
        """Calling a function by hand needs the master key."""
        reply = host.call("POST", "/admin/functions/list_resource_groups", {"input": None}, key="operator")

        assert reply.status == 401


class TestJobs:
    """What jobs there are."""

    def test_every_job_is_listed(self, host: HostProcess, finished: Json) -> None:
        """`GET jobs` names each job with its schedule, next runs and last run."""
        jobs = host.call("GET", "/api/jobs", key="reader").json()["jobs"]

        assert [job["name"] for job in jobs] == ["cleanup", JOB, "tag-audit", "watchdog"]
        listing = jobs[1]
        assert (listing["schedule"], listing["timer"], listing["runnable"]) == ("0 0 5 1 1 *", True, True)
        assert [moment[4:] for moment in listing["next_runs"]] == ["-01-01T05:00:00Z"] * 3
        assert listing["last_run"]["id"] >= finished["id"]
        assert listing["problems"] == []

    def test_one_job(self, host: HostProcess) -> None:
        """`GET jobs/{job}` is the job's entry of `GET jobs`."""
        jobs = host.call("GET", "/api/jobs").json()["jobs"]

        for job in jobs:
            assert host.call("GET", f"/api/jobs/{job['name']}").json()["name"] == job["name"]

    def test_an_unknown_job(self, host: HostProcess) -> None:
        """A job that is not there is 404, and the sentence names those that are."""
        sentence = "There is no job 'paint'; there are cleanup, list-resource-groups, tag-audit, watchdog."

        assert problem(host.call("GET", "/api/jobs/paint"), 404) == sentence
        assert problem(host.call("POST", "/api/jobs/paint/runs", {}), 404) == sentence
        assert problem(host.call("GET", "/api/runs?job=paint"), 404) == sentence


class TestStart:
    """`POST jobs/{job}/runs`."""

    def test_it_answers_at_once_with_an_address(self, host: HostProcess) -> None:
        """202, the queued run, its address in Location, and when to look again."""
        reply = host.call("POST", RUNS, {"mode": "plan"}, headers={"X-Requested-By": "operator@example.com"})

        run = reply.json()
        assert reply.status == 202
        assert (run["status"], run["trigger"], run["mode"], run["attempt"]) == ("queued", "http", "plan", 0)
        assert (run["requested_by"], run["requested_by_verified"]) == ("operator@example.com", False)
        assert reply.headers["location"] == run["links"]["self"] == f"/api/runs/{run['id']}"
        assert reply.headers["retry-after"] == "2"
        assert reply.headers["content-type"] == "application/json"
        assert wait_ended(host, run["id"])["status"] == "succeeded"

    def test_a_body_is_optional(self, host: HostProcess) -> None:
        """No body at all means plan mode and the configured scope."""
        reply = host.call("POST", RUNS)

        assert reply.status == 202
        assert reply.json()["scope"] == {"subscriptions": None}

    def test_a_scope_narrows_the_run(self, host: HostProcess) -> None:
        """Only the subscriptions named are read; one that is not visible makes the run partial and is named."""
        unseen = "00000000-0000-4000-8000-000000000009"
        wanted = {"scope": {"subscriptions": ["5A000000-0000-4000-8000-000000000002", unseen]}}

        run = wait_ended(host, start_run(host, wanted))

        assert run["status"] == "partial"
        assert [(each["subscription_id"], each["reading"]) for each in run["subscriptions"]] == [
            (unseen, "not visible"),
            ("5a000000-0000-4000-8000-000000000002", "complete"),
        ]
        assert run["subscriptions"][0]["reason"] == "not visible to Steward's identity"
        assert run["counts"]["resource_groups"] == 6

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"{", "Input data was truncated"),
            (b"[]", "Expected `object`, got `array`"),
            (b"\xff\xfe{}", "JSON is malformed"),
            (b'{"mode": "delete"}', "Invalid enum value 'delete' - at `$.mode`"),
            (b'{"mode": 1}', "Expected `str`, got `int` - at `$.mode`"),
            (b'{"mod": "plan"}', "Object contains unknown field `mod`"),
            (b'{"scope": []}', "Expected `object`, got `array` - at `$.scope`"),
            (b'{"scope": {"subscriptions": "all"}}', "Expected `array | null`, got `str` - at `$.scope.subscriptions`"),
            (b'{"scope": {"subscriptions": [1]}}', "Expected `str`, got `int` - at `$.scope.subscriptions[0]`"),
            (b'{"scope": {"groups": []}}', "Object contains unknown field `groups` - at `$.scope`"),
            (b"[" * 60_000, ""),
            (b'{"mode": ' + b"[" * 60_000, ""),
            (b'{"scope": {"subscriptions": ["\\ud800"]}}', ""),
            (b'{"scope": {"subscriptions": ["\xed\xa0\x80"]}}', ""),
        ],
        ids=[
            "cut", "list", "utf-16", "mode", "mode-type", "unknown-key", "scope-type", "subscriptions-type", "id-type",
            "unknown-scope", "deep", "deep-mode", "lone-surrogate", "surrogate-bytes",
        ],
    )  # fmt: skip
    def test_a_malformed_body(self, host: HostProcess, body: bytes, reason: str) -> None:
        """A body that cannot be understood is 400 and says where, with an example."""
        detail = problem(host.call("POST", RUNS, body=body), 400)

        assert detail.startswith(f"The body cannot be read: {reason}")
        assert detail.endswith('send nothing, or JSON such as {"mode": "plan", "scope": {"subscriptions": ["…"]}}.')

    def test_an_empty_scope(self, host: HostProcess) -> None:
        """No subscription at all is no wish."""
        detail = problem(host.call("POST", RUNS, {"scope": {"subscriptions": []}}), 400)

        assert detail == "scope.subscriptions is an empty list; leave it out to use all of [scope]."

    def test_nothing_to_apply(self, host: HostProcess) -> None:
        """A job that only reads refuses mode apply."""
        detail = problem(host.call("POST", RUNS, {"mode": "apply"}), 409)

        assert (
            detail
            == "Job 'list-resource-groups' changes nothing in Azure, so there is nothing to apply; use mode 'plan'."
        )

    def test_a_body_over_the_limit(self, host: HostProcess) -> None:
        """More than 64 KiB are not looked at; exactly 64 KiB are."""
        assert host.call("POST", RUNS, body=b"{}" + b" " * (64 * 1024 - 2)).status == 202
        detail = problem(host.call("POST", RUNS, body=b"{}" + b" " * (64 * 1024 - 1)), 400)

        assert detail == "The body has 65,537 bytes; at most 65,536 are read."

    @pytest.mark.parametrize("name", ["x" * 257, "tab\there", "\N{NO-BREAK SPACE}"], ids=["long", "tab", "latin"])
    def test_who_asks_is_checked(self, host: HostProcess, name: str) -> None:
        """X-Requested-By is at most 256 printable characters, or it is refused; it never fails."""
        reply = host.call("POST", RUNS, {}, headers={"X-Requested-By": name.encode().decode("latin-1")})

        assert reply.status in (202, 400)
        if reply.status == 400:
            assert problem(reply, 400) == "X-Requested-By must be at most 256 printable characters."


class TestRuns:
    """`GET runs` and `GET runs/{run}`."""

    def test_a_finished_run(self, host: HostProcess, finished: Json) -> None:
        """The record says what was read, what it left, and how it went."""
        reply = host.call("GET", f"/api/runs/{finished['id']}", key="reader")

        run = reply.json()
        assert set(run) == LISTED
        assert "retry-after" not in reply.headers
        counts = {
            "subscriptions_read": 3,
            "subscriptions_not_read": 0,
            "subscriptions_skipped": 1,
            "resource_groups": 15,
            "resources": 56,
            "locks": 5,
        }
        # Whether there was an earlier run to compare with depends on the order of the tests.
        assert run["counts"] in (counts, counts | UNCHANGED)
        assert run["outputs"] == ["resource-groups.ndjson", "resource-groups.csv", "report.html", "changes.ndjson"]
        assert run["links"]["report"] == f"/api/runs/{run['id']}/report"
        assert run["attempt"] == 1
        assert run["error"] is None

    def test_newest_first_page_by_page(self, host: HostProcess, finished: Json) -> None:
        """`limit` cuts the list, `next` leads through all of it, and nothing comes twice."""
        for _ in range(2):
            wait_ended(host, start_run(host))
        everything = [run["id"] for run in host.call("GET", f"/api/runs?job={JOB}&limit=200").json()["runs"]]

        pages: list[list[str]] = []
        following = f"/api/runs?job={JOB}&limit=2"
        while following:
            page = host.call("GET", following).json()
            pages.append([run["id"] for run in page["runs"]])
            following = page["next"]

        assert everything == sorted(everything, reverse=True)
        assert finished["id"] in everything
        assert [run for page in pages for run in page] == everything
        assert {len(page) for page in pages[:-1]} == {2}

    def test_before(self, host: HostProcess, finished: Json) -> None:
        """`before` gives older runs than the one named; the last page has no `next`."""
        page = host.call("GET", f"/api/runs?job={JOB}&before={finished['id']}").json()

        assert all(run["id"] < finished["id"] for run in page["runs"])
        assert page["next"] is None

    @pytest.mark.parametrize("limit", ["0", "-1", "201", "two", "1.5", "", "9" * 400, "%C2%B2", "1%00"])
    def test_a_wrong_limit(self, host: HostProcess, limit: str) -> None:
        """A limit is a whole number from 1 to 200."""
        detail = problem(host.call("GET", f"/api/runs?limit={limit}"), 400)

        assert detail.startswith("limit is '")
        assert detail.endswith("'; it must be a whole number from 1 to 200.")

    def test_a_wrong_before(self, host: HostProcess) -> None:
        """What is no run id cannot be a place in the list."""
        detail = problem(host.call("GET", "/api/runs?before=yesterday"), 400)

        assert detail == "before is 'yesterday'; it must be the id of a run."

    def test_an_unknown_run(self, host: HostProcess) -> None:
        """A run that is not there is 404 on each of its addresses."""
        run = f"20200101T000000Z-{JOB}-00000000"
        sentence = f"There is no run '{run}'; list the runs with 'steward runs' or GET /api/runs."

        assert problem(host.call("GET", f"/api/runs/{run}"), 404) == sentence
        assert problem(host.call("GET", f"/api/runs/{run}/report"), 404) == sentence
        assert problem(host.call("POST", f"/api/runs/{run}/cancel"), 404) == sentence


class TestFindings:
    """`GET runs/{run}/findings`."""

    def test_a_run_with_findings(self, host: HostProcess) -> None:
        """All of them on pages, for a reader's key; none is an ordinary answer."""
        run = wait_ended(host, host.call("POST", "/api/jobs/watchdog/runs").json()["id"])

        reply = host.call("GET", f"/api/runs/{run['id']}/findings?limit=5&rule=missed-run", key="reader")

        assert (reply.status, reply.json()) == (200, {"findings": [], "next": None})

    def test_a_run_without(self, host: HostProcess, finished: Json) -> None:
        """The job leaves none."""
        detail = problem(host.call("GET", f"/api/runs/{finished['id']}/findings"), 404)

        assert detail == f"Run '{finished['id']}' (list-resource-groups, succeeded) left no findings."

    @pytest.mark.parametrize(("query", "words"), [("after=-1", "take it from 'next'"), ("limit=0", "from 1 to 200")])
    def test_odd_queries(self, host: HostProcess, finished: Json, query: str, words: str) -> None:
        """400 with the rule."""
        assert words in problem(host.call("GET", f"/api/runs/{finished['id']}/findings?{query}"), 400)


class TestReport:
    """`GET runs/{run}/report`."""

    @pytest.mark.parametrize(
        ("query", "accept", "kind"),
        [
            ("", "", "text/html; charset=utf-8"),
            ("", "*/*", "text/html; charset=utf-8"),
            ("", "text/csv", "text/csv; charset=utf-8"),
            ("", "application/json", "application/json"),
            ("", "image/png, Application/JSON;q=0.5", "application/json"),
            ("?format=csv", "application/json", "text/csv; charset=utf-8"),
            ("?format=HTML", "", "text/html; charset=utf-8"),
        ],
    )
    def test_formats(self, host: HostProcess, finished: Json, query: str, accept: str, kind: str) -> None:
        """`?format=` decides, then the Accept header, else it is HTML."""
        reply = host.call("GET", f"/api/runs/{finished['id']}/report{query}", key="reader", headers={"Accept": accept})

        assert (reply.status, reply.headers["content-type"]) == (200, kind)
        assert "rg-shop-prod-web" in reply.text

    def test_csv_and_json_agree(self, host: HostProcess, finished: Json) -> None:
        """The same groups in every format; CSV comes as a file to save."""
        address = f"/api/runs/{finished['id']}/report"
        sheet = host.call("GET", f"{address}?format=csv")
        document = host.call("GET", f"{address}?format=json").json()

        rows = list(csv.DictReader(io.StringIO(sheet.body.decode("utf-8-sig"))))
        assert sheet.headers["content-disposition"] == f'attachment; filename="{finished["id"]}.csv"'
        assert [row["id"] for row in rows] == [group["id"] for group in document["resource_groups"]]
        assert len(rows) == 15
        assert document["run"]["id"] == finished["id"]

    def test_nothing_runs_in_a_report(self, host: HostProcess, finished: Json) -> None:
        """A browser is told to run and to load nothing."""
        headers = host.call("GET", f"/api/runs/{finished['id']}/report").headers

        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert re.fullmatch(r"script-src 'sha256-[\w+/]+='", policy.rpartition("; ")[2])
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")

    def test_an_unknown_format(self, host: HostProcess, finished: Json) -> None:
        """A format that is not there is 400."""
        detail = problem(host.call("GET", f"/api/runs/{finished['id']}/report?format=pdf"), 400)

        assert detail == "format is 'pdf'; it must be one of html, csv, json."

    def test_a_run_without_a_report(self, host: HostProcess) -> None:
        """The watchdog leaves findings and no page: JSON is what its report is, and HTML what it is not."""
        reply = host.call("POST", "/api/jobs/watchdog/runs")
        run = reply.json()["id"]
        wait_ended(host, run)

        assert host.call("GET", f"/api/runs/{run}/report").json()["findings"] == []
        detail = problem(host.call("GET", f"/api/runs/{run}/report?format=html"), 404)

        assert detail == f"Run '{run}' (watchdog, succeeded) left no HTML report."


class TestHostileInput:
    """What strangers send never makes an error of ours."""

    @pytest.mark.parametrize(
        "name",
        [
            "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2frun.json", "..%5c..%5cwindows", "%00", "%ff%fe",
            "%0d%0aSet-Cookie:%20a=1", "x" * 5000, "%F0%9F%9A%A7", "{run}", "'%20or%201=1--", "<script>", "%25252e",
            f"20200101T000000Z-{JOB}-00000000%0a", "20200101T000000Z-..%2f..-00000000", "CON", "~", "*",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize(
        ("method", "address"),
        [
            ("GET", "/api/runs/{}"),
            ("GET", "/api/runs/{}/report"),
            ("GET", "/api/runs/{}/findings"),
            ("GET", "/api/plans/{}"),
            ("POST", "/api/runs/{}/cancel"),
            ("GET", "/api/jobs/{}"),
            ("POST", "/api/jobs/{}/runs"),
            ("GET", "/api/runs?job={}"),
            ("GET", "/api/runs?before={}"),
            ("GET", "/api/runs?limit={}"),
        ],
        ids=["run", "report", "findings", "plan", "cancel", "job", "start", "filter", "before", "limit"],
    )
    def test_names_and_values(self, host: HostProcess, method: str, address: str, name: str) -> None:
        """Path traversal, control characters, markup and very long values are 400 or 404, and no header is forged."""
        reply = host.call(method, address.format(quote(name, safe="%'*~{}=:-")), body=b"")

        assert reply.status in (400, 404)
        assert "set-cookie" not in reply.headers
        assert len(reply.body) < 1000

    def test_dots_are_not_followed(self, host: HostProcess, finished: Json) -> None:
        """A path with dots in it never reaches a file of the store."""
        for path in ("/api/runs/../open", f"/api/runs/{finished['id']}/../x", f"/api/runs/{finished['id']}%2freport"):
            assert host.call("GET", path).status in (404, 401)

    @pytest.mark.parametrize("name", ["X-Requested-By", "Idempotency-Key", "Accept", "x-ms-client-principal"])
    @pytest.mark.parametrize("value", [b"\xff\xfe", b"a" * 6000, "\u202e\u0627".encode(), b"%0d%0a", b"\x7f"], ids=repr)
    def test_headers(self, host: HostProcess, name: str, value: bytes) -> None:
        """Headers of any bytes are taken or refused, never a fault."""
        status = raw_status(host, "POST", RUNS, name.encode() + b": " + value)

        assert status in (202, 400)

    def test_a_line_break_in_a_header(self, host: HostProcess) -> None:
        """A bare line feed in a header is the server's to refuse."""
        assert raw_status(host, "POST", RUNS, b"X-Requested-By: ana\n Set-Cookie: a=1") in (202, 400)


def raw_status(host: HostProcess, method: str, path: str, header: bytes) -> int:
    """Send a header as bytes, as no well-behaved client would, and give the status."""
    address = urlsplit(host.url)
    head = f"{method} {path} HTTP/1.1\r\nHost: {address.netloc}\r\nx-functions-key: {host.keys.operator}\r\n".encode()
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall(head + header + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return int(connection.makefile("rb").readline().split()[1])
