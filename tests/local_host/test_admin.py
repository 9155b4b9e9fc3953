import json

import pytest

from tests.local_host.sample_host import Sample, wait_for_log


def test_a_timer_is_called_by_hand(sample: Sample) -> None:
    """202 at once; it is passed its stored status, is not past due, and the status stays as it is."""
    before = (sample.host.state / "timers" / "tick.json").read_text()

    assert sample.host.trigger("TICK").status == 202

    (line,) = sample.journal.wait("tick")
    assert (line["past_due"], line["schedule"]) == (False, {"AdjustForDST": True})
    assert line["status"] == json.loads(before)
    assert line["status"]["Next"].endswith("T04:00:00+00:00")
    assert (sample.host.state / "timers" / "tick.json").read_text() == before


def test_a_queue_function_is_called_with_the_input(sample: Sample) -> None:
    """The input stands for the message's text."""
    sample.host.trigger("bury", "from the portal")

    assert sample.journal.wait("bury", body="from the portal")


def test_an_http_function_is_called_without_a_request(sample: Sample) -> None:
    """With a method it takes and the input as body; nobody gets the response."""
    assert sample.host.trigger("secret", "text").status == 202

    log = wait_for_log(sample.host, "[secret ")
    assert "Called: by hand" in log


def test_a_call_that_fails_is_told_in_the_log(sample: Sample) -> None:
    """The answer was given before."""
    assert sample.host.trigger("failing_timer").status == 202

    log = wait_for_log(sample.host, "the timer failed")
    (line,) = [line for line in log.splitlines() if "the timer failed" in line]
    assert " ERROR " in line
    assert "[failing_timer " in line


@pytest.mark.parametrize("body", [b"", b"{", b"null", b'"text"', b'{"input": 1}'])
def test_a_body_that_cannot_be_read_is_400(sample: Sample, body: bytes) -> None:
    """Nothing is called."""
    assert sample.host.call("POST", "/admin/functions/tick", key="master", body=body).status == 400


@pytest.mark.parametrize("name", ["nothing", "bad_schedule"])
def test_what_cannot_be_called_is_404(sample: Sample, name: str) -> None:
    """No such function, or one in error."""
    assert sample.host.trigger(name).status == 404


def test_a_function_in_error_has_a_status(sample: Sample) -> None:
    """With the reason; the others have none."""

    def status(name: str) -> dict[str, object]:
        answer: dict[str, object] = sample.host.call("GET", f"/admin/functions/{name}/status", key="master").json()
        return answer

    assert status("bad_schedule") == {
        "errors": ["Hour '25' is out of range: hours go from 0 to 23; write 23."],
        "isDisabled": False,
    }
    assert "SAMPLE_NOT_SET" in str(status("unresolved_schedule"))
    assert status("tick") == {"errors": [], "isDisabled": False}
    assert sample.host.call("GET", "/admin/functions/nothing/status", key="master").status == 404


def test_functions_are_listed(sample: Sample) -> None:
    """With their bindings and, for HTTP, their address; those in error too."""
    listed = {each["name"]: each for each in sample.host.call("GET", "/admin/functions", key="master").json()}

    assert set(listed) == set(sample.host.functions) > {"bad_schedule", "tick"}
    assert listed["read_job"]["invoke_url_template"] == f"{sample.host.url}/api/jobs/{{job}}"
    assert listed["tick"]["config"]["bindings"][0]["type"] == "timerTrigger"
    assert sample.host.call("GET", "/admin/functions/tick", key="master").json() == listed["tick"]


def test_the_host_has_a_status(sample: Sample) -> None:
    """It runs."""
    status = sample.host.call("GET", "/admin/host/status", key="master").json()

    assert status["state"] == "Running"
    assert status["processUptime"] > 0


def test_the_key_of_one_function(sample: Sample) -> None:
    """The master key is told it, no other; it opens that function alone, and elsewhere is as good as none."""
    asked = sample.host.call("GET", "/admin/functions/APPLY_PLAN/keys", key="master")
    own = {"x-functions-key": asked.json()["keys"][0]["value"]}

    assert asked.json() == {
        "keys": [{"name": "default", "value": sample.host.keys.of_function("apply_plan")}],
        "links": [],
    }
    assert sample.host.call("GET", "/admin/functions/apply_plan/keys").status == 401
    assert sample.host.call("GET", "/admin/functions/nothing/keys", key="master").status == 404
    assert sample.host.call("POST", "/api/plans/x/apply", headers=own).text == "applied x"
    assert sample.host.call("GET", "/api/secret", headers=own)[::2] == (401, b"")
