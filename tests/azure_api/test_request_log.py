"""The request log over TLS: the simulator evaluates the KQL that is really sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from devkit.simulator import Assignment, Estate, Fault, RequestRow, Role, Simulator, Subscription
from shared_code.azure_api.request_log import MOST_ROWS, WorkspaceRequestLog, question, quoted
from shared_code.azure_api.workspace import Workspace
from shared_code.invocations import Calls, Testimony
from tests.azure_api.conftest import Clock, Remembering

NOW = datetime.now(UTC).replace(microsecond=0)
DUE = NOW - timedelta(hours=2)
APP = "func-steward-dev"
ESTATE = Estate(name="one", subscriptions=(Subscription(id="5e000000-0000-4000-8000-00000000000a", name="one"),))


class Log:
    """The simulator's request log, and one reader of it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.time = Clock()
        self.credential = Remembering()

    def reader(self, app: str = APP, workspace: str | None = "") -> WorkspaceRequestLog:
        """A reader as the app would have it after a fresh start."""
        environment = self.simulator.environment
        own = environment["STEWARD_LOGS_WORKSPACE_ID"] if workspace == "" else workspace
        if own is None:
            return WorkspaceRequestLog(None, app)
        return WorkspaceRequestLog(
            Workspace(
                environment["STEWARD_LOGS_ENDPOINT"],
                environment["STEWARD_LOGS_AUDIENCE"],
                own,
                lambda: self.credential,
                self.time.sleep,
            ),
            app,
        )

    def read(self, *functions: str, app: str = APP) -> Testimony:
        """What is said of these functions since the occurrence."""
        return self.reader(app).calls(dict.fromkeys(functions or ("tag_audit",), DUE), NOW)

    def noted(self, *rows: RequestRow) -> None:
        """Let these be all calls."""
        self.simulator.telemetry.clear()
        self.simulator.telemetry.add(*rows)

    def refused(self, **fields: object) -> str:
        """Read while a fault is in force; the reason why nothing is known."""
        self.simulator.faults.add(Fault(**({"route": "logs", "times": None} | fields)))  # type: ignore[arg-type]
        return self.reason()

    def reason(self) -> str:
        """Read what must say nothing; why."""
        found = self.read()
        assert found.reason
        assert found == Testimony(reason=found.reason)
        assert not any(token in found.reason for token in self.credential.tokens)
        return found.reason


@pytest.fixture(scope="module", name="simulator")
def _simulator() -> Iterator[Simulator]:
    with Simulator(ESTATE) as simulator, pytest.MonkeyPatch.context() as environ:
        for name, value in simulator.environment.items():
            environ.setenv(name, value)
        yield simulator


@pytest.fixture(name="log")
def _log(simulator: Simulator) -> Log:
    simulator.faults.clear()
    simulator.activity.row_limit = 500_000
    simulator.assign(None)
    log = Log(simulator)
    log.noted(called(0))
    return log


def called(minutes: float, name: str = "tag_audit", **fields: object) -> RequestRow:
    """A call that many minutes after the occurrence."""
    return RequestRow(**({"time": DUE + timedelta(minutes=minutes), "name": name, "app": APP} | fields))  # type: ignore[arg-type]


class TestCalls:
    def test_number_failures_and_span(self, log: Log) -> None:
        log.noted(
            called(-90, "watchdog"),
            called(0),
            called(1, success=False, code="500"),
            called(2, success=False, code="503"),
            called(3),
            called(100, "start_run"),
        )

        assert log.read() == Testimony(
            calls={
                "tag_audit": Calls(
                    number=4, first=DUE, failed=2, last_failed=DUE + timedelta(minutes=2), result_code="503"
                )
            },
            first=DUE - timedelta(minutes=90),
            last=DUE + timedelta(minutes=100),
        )

    def test_each_function_from_its_moment_on(self, log: Log) -> None:
        """An earlier call only shows that the log reaches back."""
        log.noted(called(-1), called(1, "cleanup"), called(-1, "cleanup"))
        found = log.reader().calls({"tag_audit": DUE, "cleanup": DUE - timedelta(minutes=5)}, NOW)

        assert {name: each.number for name, each in found.calls.items()} == {"cleanup": 2}

    def test_only_this_app_counts(self, log: Log) -> None:
        """Whatever the case of its name, and however a like one begins."""
        log.noted(called(0, app="func-other"), called(0, app=f"{APP}-2"), called(0, app=""), called(0, app=APP.upper()))
        assert log.read().calls["tag_audit"].number == 1

        log.noted(called(0, app="func-other"))
        assert log.read() == Testimony()

    def test_calls_of_the_worker_that_failed(self, log: Log) -> None:
        """By their ids, in lower case."""
        log.noted(
            called(1, "run_worker", success=False, properties={"InvocationId": "AB-1"}),
            called(2, "run_worker", success=False, properties={"InvocationId": "ab-2"}),
            called(3, "run_worker", properties={"InvocationId": "ab-3"}),
            called(4, success=False, properties={"InvocationId": "ab-4"}),
        )
        assert log.read().failed == {"ab-1": DUE + timedelta(minutes=1), "ab-2": DUE + timedelta(minutes=2)}

    def test_what_is_outside_the_span(self, log: Log) -> None:
        """A day before the occurrence at most, and nothing that is yet to come."""
        log.noted(called(-60 * 24 - 1), called(121), called(0, "live"))
        found = log.read()

        assert (found.calls, found.first, found.last) == ({}, DUE, DUE)

    def test_one_query(self, log: Log) -> None:
        before = len(log.simulator.requests)
        log.read("tag_audit", "cleanup", "list_resource_groups")

        asked = [each.route for each in log.simulator.requests[before:]]
        assert asked.count("logs") == 1

    @pytest.mark.parametrize(
        "app",
        [
            '" or true or AppRoleName == "',
            'func" | union AppRequests //',
            "func\\",
            'func\\" or true //',
            "func\n| where true",
            "fünc",
            "\ud800",
            "'",
        ],
        ids=["quote", "pipe", "backslash", "escaped quote", "line", "letter", "half", "apostrophe"],
    )
    def test_a_hostile_name_is_a_name(self, log: Log, app: str) -> None:
        """It stays one text in the query, so that it finds the calls of an app of that name and no other."""
        assert log.read(app=app) == Testimony()


class TestWhyNothingIsKnown:
    def test_no_workspace(self, log: Log) -> None:
        found = log.reader(workspace=None).calls({"tag_audit": DUE}, NOW)
        assert found.reason == (
            "no workspace is configured; set STEWARD_LOGS_WORKSPACE_ID to the id of the one with the request log"
        )

    def test_no_name(self, log: Log) -> None:
        """As in a terminal; nothing is asked then."""
        before = len(log.simulator.requests)
        assert "outside of Azure" in str(log.read(app="").reason)
        assert len(log.simulator.requests) == before

    def test_a_workspace_that_does_not_exist(self, log: Log) -> None:
        other = "10600000-0000-4000-8000-0000000000ff"
        found = log.reader(workspace=other).calls({"tag_audit": DUE}, NOW)
        assert f"cannot read the request log in workspace '{other}': Azure answered 404" in str(found.reason)

    def test_no_permission(self, log: Log) -> None:
        """For the table alone, too."""
        log.simulator.assign([Assignment(Role("r", ("*/read",), ("*/AppRequests/read",)))])
        assert "Azure answered 403" in log.reason()

    def test_a_partial_answer(self, log: Log) -> None:
        """Half of the rows is no evidence of anything."""
        log.noted(called(0), called(1, success=False), called(2, "live"))
        assert "Azure answered in part only" in log.refused(kind="partial")

    def test_too_many_rows(self, log: Log) -> None:
        log.noted(
            *(
                called(0, "run_worker", success=False, properties={"InvocationId": str(each)})
                for each in range(MOST_ROWS)
            )
        )
        why = f"it was not read to its end: the answer has {MOST_ROWS:,} rows, which is the most there can be"
        assert log.reason() == why

    @pytest.mark.parametrize(
        ("fault", "text"),
        [
            ({"kind": "status", "status": 503}, "Azure answered 503"),
            ({"kind": "status", "status": 429}, "Azure answered 429"),
            ({"kind": "html"}, "request log"),
            ({"kind": "cut"}, "request log"),
            ({"kind": "reset"}, "request log"),
        ],
        ids=["503", "429", "html", "cut", "reset"],
    )
    def test_a_fault(self, log: Log, fault: dict[str, object], text: str) -> None:
        assert text in log.refused(**fault)


def test_a_function_has_a_name() -> None:
    """Nothing else comes into a query as it is."""
    with pytest.raises(ValueError, match="is no name of a function"):
        question(APP, {'x" or true': DUE}, NOW)


@pytest.mark.parametrize(
    ("text", "written"),
    [("func", '"func"'), ('a"b', '"a\\"b"'), ("a\\b", '"a\\\\b"'), ("a\n\x00ü\ud800b", '"a????b"')],
    ids=["plain", "quote", "backslash", "odd"],
)
def test_a_text_in_kql(text: str, written: str) -> None:
    assert quoted(text) == written
