"""The activity log over TLS: the simulator evaluates the KQL that is really sent."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from devkit.simulator import Estate, Event, Fault, Simulator, Subscription, load_estate
from devkit.simulator.estates.drafting import group, resource
from shared_code.activity import CallerKind, Evidence, Writers, write_of
from shared_code.azure_api.activity import LogAnalytics
from shared_code.azure_api.activity_reading import Limits
from shared_code.azure_api.workspace import Workspace
from shared_code.resource_ids import key
from tests.azure_api.conftest import Clock, Remembering

NOW = datetime.now(UTC).replace(microsecond=0)
SINCE = NOW - timedelta(days=90)
SHOP = "5e000000-0000-4000-8000-00000000000a"
DATA = "5e000000-0000-4000-8000-00000000000b"
QUIET = "5e000000-0000-4000-8000-00000000000c"
SITE = f"/subscriptions/{SHOP}/resourceGroups/rg-shop/providers/Microsoft.Web/sites/shop"
PROGRAM = "0e000000-0000-4000-8000-00000000000A"
ESTATE = Estate(
    name="shop",
    subscriptions=tuple(
        Subscription(
            id=each, name=each[-1], resource_groups=(group("rg-shop", resource("Microsoft.Web/sites", "shop")),)
        )
        for each in (SHOP, DATA, QUIET)
    ),
)


class Log:
    """The simulator's log, and one reader of it as the app would have after a fresh start."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.time = Clock()
        self.credential = Remembering()
        self._before = len(simulator.requests)
        self.limit()

    def limit(self, **limits: int) -> None:
        """Read with these limits from now on."""
        environment = self.simulator.environment
        workspace = Workspace(
            environment["STEWARD_LOGS_ENDPOINT"],
            environment["STEWARD_LOGS_AUDIENCE"],
            environment["STEWARD_LOGS_WORKSPACE_ID"],
            lambda: self.credential,
            self.time.sleep,
        )
        self.reader = LogAnalytics(workspace, Limits(**limits))

    def happened(self, *events: Event) -> None:
        """Let these be all that happened."""
        self.simulator.activity.clear()
        self.simulator.activity.add(*events)

    def fault(self, **fields: object) -> None:
        """Put a fault in force: for ever, unless `times` says otherwise."""
        self.simulator.faults.add(Fault(**({"route": "logs", "times": None} | fields)))  # type: ignore[arg-type]

    def read(self, *subscriptions: str, since: datetime = SINCE) -> Evidence:
        """Read these, or the two that have events."""
        return self.reader.writers(subscriptions or (SHOP, DATA), since, NOW)

    def refused(self, *subscriptions: str) -> str:
        """Read what must be no evidence; the reason."""
        found = self.read(*subscriptions)
        assert (found.available, found.complete) == (False, False)
        assert found.writers == {}
        assert found.recorded == {}
        assert found.written(SITE) is None
        assert found.reason
        assert not any(token in found.reason for token in self.credential.tokens)
        return found.reason

    @property
    def statuses(self) -> list[int]:
        """The answers to this reader's queries."""
        return [each.status for each in self.simulator.requests[self._before :] if each.route == "logs"]


@pytest.fixture(scope="module", name="simulator")
def _simulator() -> Iterator[Simulator]:
    with Simulator(ESTATE) as simulator, pytest.MonkeyPatch.context() as environ:
        for name, value in simulator.environment.items():
            environ.setenv(name, value)
        yield simulator


@pytest.fixture(name="log")
def _log(simulator: Simulator) -> Log:
    """A fresh reader; a person wrote to a site in either subscription, and nothing goes wrong."""
    simulator.faults.clear()
    simulator.activity.row_limit = 500_000
    log = Log(simulator)
    log.happened(wrote(9), wrote(2, caller="tester@example.com"), wrote(4, resource_id=SITE.replace(SHOP, DATA)))
    return log


def wrote(days: float, **fields: object) -> Event:
    """A successful write that many days ago."""
    return Event(**({"time": NOW - timedelta(days=days), "resource_id": SITE} | fields))  # type: ignore[arg-type]


class TestWriters:
    def test_the_first_and_the_last(self, log: Log) -> None:
        found = log.read()

        assert (found.available, found.complete, found.reason) == (True, True, None)
        assert found.of(SITE) == Writers(
            write_of(NOW - timedelta(days=9), "developer@example.com"),
            write_of(NOW - timedelta(days=2), "tester@example.com"),
        )
        assert found.recorded == {SHOP: NOW - timedelta(days=9), DATA: NOW - timedelta(days=4)}

    def test_few_queries(self, log: Log) -> None:
        """Two, however many subscriptions and resources there are, as long as the answers fit."""
        log.happened(*(wrote(1, resource_id=f"{SITE}-{number}") for number in range(2_000)))
        found = log.read(SHOP, SHOP.upper(), DATA)

        assert len(found.writers) == 2_000
        assert (found.asked.queries, found.asked.splits) == (2, 0)
        assert log.statuses == [200, 200]

    def test_what_is_no_successful_write_does_not_count(self, log: Log) -> None:
        log.happened(
            wrote(5),
            wrote(4, status="Start"),
            wrote(4, status="Accepted"),
            wrote(4, status="Failed"),
            wrote(4, operation="Microsoft.Web/sites/delete"),
            wrote(4, operation="Microsoft.Web/sites/restart/action"),
            wrote(4, category="Policy"),
            wrote(91),
            wrote(-1),
            wrote(4, resource_id="", subscription=SHOP),
            wrote(4, resource_id=SITE.replace(SHOP, QUIET)),
        )
        only = write_of(NOW - timedelta(days=5), "developer@example.com")

        assert log.read().writers == {key(SITE): Writers(only, only)}

    def test_any_spelling_is_one_thing(self, log: Log) -> None:
        log.happened(
            wrote(5, operation="MICROSOFT.WEB/SITES/WRITE", category="administrative", status="SUCCEEDED"),
            wrote(4, resource_id=SITE.upper(), caller=PROGRAM),
            wrote(3, resource_id=SITE.replace("shop", "sho%70").replace("sites/", "sites//"), caller="Azure Policy"),
        )
        found = log.read(SHOP.upper()).of(SITE)

        assert found is not None
        assert (found.first.kind, found.last.kind) == (CallerKind.PERSON, CallerKind.PLATFORM)

    @pytest.mark.parametrize(
        "caller",
        [
            "<script>alert(1)</script>@example.com",
            "\x1b]0;x\x07\r\nada@example.com",
            "developer@example.com" + "m" * 10_000,
            "",
        ],
        ids=["html", "control", "long", "none"],
    )
    def test_a_hostile_caller_is_text(self, log: Log, caller: str) -> None:
        """And no person, so that it is never suggested as an owner."""
        log.happened(wrote(5, caller=caller))
        found = log.read()

        assert found.available
        assert found.suggested_owner(SITE) is None
        assert len(found.writers[key(SITE)].first.caller) <= 320

    def test_of_one_moment_any_of_its_writers(self, log: Log) -> None:
        log.happened(wrote(5), wrote(5, caller="tester@example.com"), wrote(5))
        found = log.read().of(SITE)

        assert found is not None
        assert {found.first.caller, found.last.caller} <= {"developer@example.com", "tester@example.com"}

    def test_the_simulators_own_estates_have_people_in_them(self) -> None:
        with Simulator(load_estate("demo")) as simulator, pytest.MonkeyPatch.context() as environ:
            for name, value in simulator.environment.items():
                environ.setenv(name, value)
            estate = simulator.estate
            until = datetime.now(UTC)
            found = Log(simulator).reader.writers([each.id for each in estate.subscriptions], SINCE, until)
            ids = [each.id for subscription in estate.subscriptions for each in subscription.resources]

            assert found.complete
            assert any(found.suggested_owner(each) for each in ids)
            assert any(found.written(each) is False for each in ids)


EVENTS = some.builds(
    Event,
    time=some.integers(0, 40).map(lambda hours: NOW - timedelta(hours=1 + hours)),
    resource_id=some.tuples(
        some.sampled_from([SITE, f"{SITE}/slots/blue", SITE.replace(SHOP, DATA), f"/subscriptions/{DATA}"]),
        some.sampled_from(["as it is", "lower", "upper"]),
    ).map(lambda drawn: {"lower": drawn[0].lower(), "upper": drawn[0].upper()}.get(drawn[1], drawn[0])),
    caller=some.sampled_from(["developer@example.com", "Tester@Example.com", PROGRAM, "Azure Policy", ""]),
    operation=some.sampled_from(["Microsoft.Web/sites/write", "A/B/WRITE", "A/B/delete", "A/write/action"]),
    status=some.sampled_from(["Start", "Started", "Accept", "Success", "Succeeded", "success", "Failure", "Failed"]),
    category=some.sampled_from(["Administrative", "ADMINISTRATIVE", "Policy"]),
)


def expected(events: list[Event]) -> dict[str, tuple[datetime, set[str], datetime, set[str]]]:
    """Compute for each thing the first and the last moment, and who may be named for it."""
    written: dict[str, list[Event]] = {}
    for event in events:
        if (
            event.category.lower() == "administrative"
            and event.operation.lower().endswith("/write")
            and event.status.lower() in ("success", "succeeded")
        ):
            written.setdefault(key(event.resource_id), []).append(event)
    return {
        each: (
            first := min(event.time for event in own),
            {event.caller for event in own if event.time == first},
            last := max(event.time for event in own),
            {event.caller for event in own if event.time == last},
        )
        for each, own in written.items()
    }


def agrees(found: Evidence, events: list[Event]) -> None:
    """Compare an answer with the events themselves."""
    wanted = expected(events)
    heard = {event.subscription_id.lower(): event for event in events if event.category.lower() == "administrative"}
    assert set(found.recorded) == set(heard)
    assert set(found.writers) == set(wanted)
    for each, (first, firsts, last, lasts) in wanted.items():
        told = found.writers[each]
        assert (told.first.at, told.last.at) == (first, last)
        assert told.first in [write_of(first, caller) for caller in firsts]
        assert told.last in [write_of(last, caller) for caller in lasts]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(events=some.lists(EVENTS, max_size=25), twice=some.booleans())
def test_it_is_what_the_events_themselves_say(log: Log, events: list[Event], *, twice: bool) -> None:
    """Whatever happened, in any spelling, with failures, ties, and every event twice."""
    log.happened(*events, *(events if twice else []))

    agrees(log.read(), events)


class TestSplitting:
    def test_at_the_row_limit_the_answer_is_the_same(self, log: Log) -> None:
        """By subscription and then by time; here a day holds as many rows as an answer may have."""
        events = [
            wrote(day + hour / 24, resource_id=f"{place}-{day}", caller=f"{day}@example.com")
            for place in (SITE, SITE.replace(SHOP, DATA))
            for day in range(1, 9)
            for hour in range(3)
        ]
        log.happened(*events)
        whole = log.read()
        log.simulator.activity.row_limit = 2
        split = log.read()

        assert split.writers == whole.writers
        assert (split.available, split.complete, split.recorded) == (True, True, whole.recorded)
        assert split.asked.splits > 5
        agrees(split, events)

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(events=some.lists(EVENTS, max_size=25, unique_by=lambda event: (event.time, key(event.resource_id))))
    def test_at_any_place(self, log: Log, events: list[Event]) -> None:
        log.happened(*events)
        log.simulator.activity.row_limit = 4
        found = log.read()

        agrees(found, events)

    def test_what_does_not_fit_at_all_is_no_evidence_of_its_subscription(self, log: Log) -> None:
        """The others count, and no more is asked about it."""
        log.happened(wrote(5, resource_id=f"{SITE}-1"), wrote(5, resource_id=f"{SITE}-2"), *data(5))
        log.simulator.activity.row_limit = 1
        found = log.read()

        assert (found.available, found.complete) == (True, False)
        assert set(found.recorded) == {DATA}
        assert set(found.writers) == {key(SITE.replace(SHOP, DATA))}
        assert found.written(f"{SITE}-1") is None
        assert found.reason is not None
        assert "the internal record count limit 1 (E_QUERY_RESULT_SET_TOO_LARGE" in found.reason
        assert found.asked.queries < 40

    def test_an_answer_of_as_many_rows_as_there_can_be_may_have_lost_some(self, log: Log) -> None:
        """Even without an error beside it."""
        log.happened(*(wrote(day, resource_id=f"{SITE}-{day}") for day in range(1, 5)), *data(1))
        log.limit(most_rows=4)
        found = log.read()

        assert found.complete
        assert found.asked.splits > 0
        assert len(found.writers) == 5

    def test_questions_are_as_large_as_their_answers_may_be(self, log: Log) -> None:
        """Memory must not grow with the estate, so subscriptions with much activity are asked about apart."""
        log.limit(some_rows=1)
        found = log.read()

        assert found.complete
        assert (found.asked.queries, found.asked.splits) == (3, 0)

    @pytest.mark.parametrize("status", [413, 504])
    def test_a_refusal_for_its_size_or_time_is_split_too(self, log: Log, status: int) -> None:
        """A time-out has been tried four times by then."""
        log.fault(status=status, nth=2, times=1 if status == 413 else 4)
        found = log.read()

        assert found.complete
        assert (found.asked.queries, found.asked.splits) == (4, 1)

    def test_time_outs_are_not_split_for_ever(self, log: Log) -> None:
        log.fault(status=504)

        assert log.refused() == "the activity log was not read to its end: a query takes longer than 60 seconds"
        assert len(log.statuses) < 40

    def test_the_number_of_queries_is_bounded(self, log: Log) -> None:
        log.limit(queries=5)
        log.fault(status=413)

        assert "it takes more than 5 queries" in log.refused()
        assert len(log.statuses) == 5


def data(days: float) -> list[Event]:
    return [wrote(days, resource_id=SITE.replace(SHOP, DATA))]


class TestNoEvidence:
    """Never "no activity"."""

    def test_no_workspace(self) -> None:
        reader = LogAnalytics(None)
        found = reader.writers([SHOP], SINCE, NOW)

        assert (found.available, found.complete, found.asked.queries) == (False, False, 0)
        assert found.reason == (
            "no workspace is configured; set STEWARD_LOGS_WORKSPACE_ID to the id of the one with the activity log"
        )
        assert found.written(SITE) is None

    def test_a_subscription_that_sends_nothing_there(self, log: Log) -> None:
        found = log.read(SHOP, QUIET)

        assert (found.available, found.complete) == (True, False)
        assert found.written(SITE) is True
        assert found.written(SITE.replace(SHOP, QUIET)) is None
        assert found.reason == (
            f"the workspace holds no events of subscription '{QUIET}'; send the activity log there with a diagnostic "
            "setting of the subscription"
        )
        assert log.refused(QUIET) == found.reason

    def test_events_of_other_kinds_do_not_say_that_writes_are_recorded(self, log: Log) -> None:
        log.happened(wrote(3, category="ServiceHealth"))

        assert "holds no events" in log.refused(SHOP)

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            ({"kind": "forbidden"}, "Azure answered 403 InsufficientAccessError: .* the role Reader there$"),
            ({"kind": "not-found"}, "Azure answered 404 PathNotFoundError: The requested path does not exist; "),
            ({"kind": "expired-token"}, "Azure answered 401 AuthorizationRequiredError: "),
            ({"kind": "throttled", "retry_after": 7}, "Azure answered 429 ThrottledError: Rate limit is exceeded; "),
            ({"kind": "partial"}, r"Azure answered in part only, .*An aggregator has met .*\(E_OVERFLOW\); try again"),
            ({"kind": "error-in-200"}, "Azure answered in part only, InternalServerError: "),
            ({"kind": "html"}, "Azure answered 503: an HTML page, 'Service unavailable'; try again later$"),
            ({"kind": "empty"}, "Azure answered 500: an empty answer; try again later$"),
            ({"kind": "not-json"}, "the answer broke off or is damaged; try again later$"),
            ({"kind": "cut-json"}, "the answer broke off or is damaged; try again later$"),
            ({"kind": "cut"}, "the answer broke off or is damaged; try again later$"),
            ({"kind": "reset"}, "the connection was reset; check the address and the network$"),
            ({"kind": "delay", "body": [1]}, "the answer is not what a query's answer looks like$"),
            ({"kind": "delay", "body": {}}, "the answer has not the columns that were asked for$"),
            ({"kind": "delay", "body": {"tables": []}}, "the answer has not the columns that were asked for$"),
            ({"kind": "delay", "body": {"tables": [5]}}, "the answer is not what a query's answer looks like$"),
            (
                {"status": 400, "kind": "status"},
                "Azure answered 400 BadRequest: The request is invalid.; this is worth",
            ),
        ],
        ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
    )
    def test_a_failure_is_the_reason(self, log: Log, fault: dict[str, object], reason: str) -> None:
        """And ends the asking, since the next query would fail alike."""
        log.fault(**fault)
        told = log.refused()

        assert told.startswith("cannot read the activity log in workspace '")
        assert re.search(reason, told)
        assert len(set(log.statuses)) == 1
        assert len(log.statuses) <= 4
        assert all(wait <= 30 for wait in log.time.waits)

    @pytest.mark.parametrize("kind", ["forbidden", "partial", "html", "cut-json", "reset"])
    def test_a_failure_after_the_first_answer_is_one_too(self, log: Log, kind: str) -> None:
        log.fault(kind=kind, nth=2)
        log.refused()

    @pytest.mark.parametrize(
        ("cells", "shown"),
        [
            ((5, 1, "a", 1, "a"), "5"),
            ((SITE, "yesterday", "a", 1, "a"), "yesterday"),
            ((SITE, None, "a", 1, "a"), "None"),
            ((SITE, True, "a", 1, "a"), "True"),
            ((SITE, 10**30, "a", 1, "a"), "1" + "0" * 30),
            ((SITE, 1, ["a"], 1, "a"), "['a']"),
        ],
        ids=["id", "text", "null", "bool", "far", "list"],
    )
    def test_a_row_that_cannot_be(self, log: Log, cells: tuple[object, ...], shown: str) -> None:
        names = ("Resource", "First", "FirstCaller", "Last", "LastCaller")
        columns = [{"name": name, "type": "dynamic"} for name in names]
        log.fault(kind="delay", nth=2, body={"tables": [{"name": "x", "columns": columns, "rows": [cells]}]})

        assert log.refused() == f"cannot read the activity log: '{shown}' is not what a row may hold"

    def test_the_table_is_not_there(self, log: Log) -> None:
        message = "'where' operator: Failed to resolve table or column expression named 'AzureActivity'"
        inner = {"code": "SemanticError", "innererror": {"code": "SEM0100", "message": message}}
        log.fault(status=400, body={"error": {"code": "BadArgumentError", "innererror": inner}})

        assert log.refused().endswith(
            "': the table AzureActivity does not exist in the workspace; send the activity log there with a diagnostic"
            " setting of each subscription"
        )

    def test_no_token(self, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IDENTITY_HEADER", "wrong")

        assert ": no token, " in log.refused()

    def test_nobody_listens(self, log: Log) -> None:
        nobody = "https://127.0.0.1:1"
        log.reader = LogAnalytics(Workspace(nobody, nobody, SHOP, Remembering, log.time.sleep))

        assert "the connection was refused" in log.refused()

    def test_an_id_that_is_none_is_not_asked_about(self, log: Log) -> None:
        found = log.read(SHOP, '") or true //')

        assert (found.available, found.complete) == (True, False)
        assert found.reason == "an id that is no subscription's was asked for"
        assert log.refused('") or true //') == found.reason

    def test_trouble_that_passes_costs_nothing(self, log: Log) -> None:
        for kind in ("throttled", "html", "reset"):
            log.fault(kind=kind, times=1)

        assert log.read().complete

    def test_no_wait_is_longer_than_ours(self, log: Log) -> None:
        log.fault(kind="throttled", retry_after=1200, times=1)

        assert log.read().complete
        assert log.time.waits == [30]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    events=some.lists(EVENTS, max_size=15),
    kind=some.sampled_from(["forbidden", "throttled", "partial", "html", "cut-json", "reset", "empty", "not-json"]),
    nth=some.integers(1, 5),
    times=some.sampled_from([1, 3, None]),
    row_limit=some.sampled_from([1, 3, 500_000]),
)
def test_whatever_goes_wrong_nobody_is_forgotten(
    log: Log, events: list[Event], kind: str, nth: int, times: int | None, row_limit: int
) -> None:
    """What somebody wrote to is never said to be untouched, and who is named is named rightly."""
    log.simulator.faults.clear()
    log.happened(*events)
    log.simulator.activity.row_limit = row_limit
    log.fault(kind=kind, nth=nth, times=times)
    found = log.read()

    assert found.complete or found.reason
    assert found.available == bool(found.recorded)
    for each, (first, _, last, _) in expected(events).items():
        assert found.written(each) is not False
        told = found.of(each)
        assert told is None or (told.first.at, told.last.at) == (first, last)


class TestSpan:
    def test_more_than_90_days_is_cut_and_said(self, log: Log) -> None:
        log.happened(wrote(89), wrote(95, caller="tester@example.com"))
        found = log.read(SHOP, since=NOW - timedelta(days=400))

        assert (found.span.since, found.span.until, found.span.cut) == (SINCE, NOW, True)
        assert found.complete

    def test_from_since_on_and_before_until(self, log: Log) -> None:
        moment = timedelta(microseconds=1)
        log.happened(
            wrote(0, caller="late@example.com"),
            wrote(0, time=NOW - moment, caller="last@example.com"),
            wrote(5, caller="first@example.com"),
            wrote(5, time=NOW - timedelta(days=5) - moment, caller="early@example.com"),
        )
        found = log.read(SHOP, since=NOW - timedelta(days=5)).of(SITE)

        assert found == Writers(
            write_of(NOW - timedelta(days=5), "first@example.com"), write_of(NOW - moment, "last@example.com")
        )

    def test_no_span_is_a_programming_error(self, log: Log) -> None:
        with pytest.raises(ValueError, match="from an aware moment to a later one"):
            log.reader.writers([SHOP], NOW, NOW)


@pytest.mark.parametrize("module", ["activity", "activity_queries", "activity_reading"])
def test_the_sdk_is_imported_on_first_use(module: str) -> None:
    """Indexing the app must stay fast."""
    heavy = ("azure.identity", "azure.mgmt", "azure.core", "azure.monitor", "msal", "requests")
    code = (
        f"import sys, shared_code.azure_api.{module}\n"
        f"print([name for name in sys.modules if name.startswith({heavy!r})])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
