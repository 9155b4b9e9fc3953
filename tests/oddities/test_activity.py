"""Log Analytics and the activity log in it: oddities 63 and 64."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from devkit.simulator import Event, Simulator
from shared_code.activity import CallerKind, Evidence, kind_of, span_of
from shared_code.azure_api.activity import LogAnalytics
from shared_code.azure_api.workspace import Workspace
from shared_code.resource_ids import key
from tests.azure_api.conftest import Clock, Remembering, Script
from tests.oddities.logs import HEARD, NOW, SITE, WORKSPACE, WRITERS, Answering, table
from tests.oddities.recorded import Recordings
from tests.oddities.wire import KNOWN

PARTIAL = {"code": "PartialError", "message": "There were some errors.", "details": [{"code": "EngineError"}]}


@pytest.fixture(name="answering")
def _answering(simulator: tuple[Simulator, Script]) -> Answering:
    simulator[0].faults.clear()
    return Answering(simulator[1])


@pytest.fixture(name="log")
def _log(simulator: tuple[Simulator, Script]) -> Iterator[Simulator]:
    """The simulator, and nothing happened in it."""
    simulator[0].faults.clear()
    simulator[0].activity.clear()
    yield simulator[0]
    simulator[0].activity.clear()


def read(simulator: Simulator, workspace: str = "") -> Evidence:
    """Read the simulator's log of one subscription."""
    environment = simulator.environment
    reader = LogAnalytics(
        Workspace(
            environment["STEWARD_LOGS_ENDPOINT"],
            environment["STEWARD_LOGS_AUDIENCE"],
            workspace or environment["STEWARD_LOGS_WORKSPACE_ID"],
            Remembering,
            Clock().sleep,
        )
    )
    return reader.writers([KNOWN.id], NOW - timedelta(days=90), NOW)


class TestPartialAnswers:
    """63: 200 with PartialError next to rows; a missing table is 400, a wrong workspace 404; tables have any name."""

    def test_rows_beside_an_error_are_no_evidence(self, answering: Answering) -> None:
        """Nor are they "nobody wrote": what is missing may be anything."""
        whole = answering.read((200, HEARD), (200, WRITERS))
        found = answering.read((200, HEARD), (200, WRITERS | {"error": PARTIAL}))

        assert (whole.complete, whole.written(SITE)) == (True, True)
        assert (found.available, found.written(SITE), found.writers) == (False, None, {})
        assert found.reason is not None
        assert "Azure answered in part only, " in found.reason

    def test_tables_of_any_name(self, answering: Answering) -> None:
        """What is read is the table with the columns that were asked for, wherever it stands."""
        other = table("Statistics", ["x"], Name="string")["tables"]
        named = {"tables": [*other, WRITERS["tables"][0] | {"name": "Table_0"}]}

        assert answering.read((200, HEARD), (200, named)).written(SITE) is True

    def test_a_wrong_workspace(self, log: Simulator) -> None:
        found = read(log, WORKSPACE)

        assert (found.available, found.written(SITE)) == (False, None)
        assert "404 PathNotFoundError: The requested path does not exist" in str(found.reason)

    def test_recorded_part(self, answering: Answering, recordings: Recordings) -> None:
        (recording,) = recordings.named("log-analytics__py-partial-error")
        reason = answering.replay(recording)

        assert "Azure answered in part only, " in reason
        assert "E_OVERFLOW" in reason

    def test_recorded_missing_table(self, answering: Answering, recordings: Recordings) -> None:
        (recording,) = recordings.named("log-analytics__py-400-semantic")
        mine = recording._replace(body=json.loads(json.dumps(recording.body).replace("AppInsights", "AzureActivity")))

        assert "Azure answered 400 SEM0100: 'where' operator: Failed to resolve" in answering.replay(recording)
        assert "the table AzureActivity does not exist in the workspace" in answering.replay(mine)

    @pytest.mark.parametrize(
        "name",
        [
            "log-analytics__cliext-getschema",
            "log-analytics__cli-perf",
            "log-analytics__cli-perf-2",
            "log-analytics__py-typed-columns",
        ],
    )
    def test_recorded_tables_without_our_columns(self, answering: Answering, recordings: Recordings, name: str) -> None:
        """An empty one among them does not mean that nothing happened."""
        (recording,) = recordings.named(name)

        assert answering.replay(recording).endswith("the answer has not the columns that were asked for")


class TestEvents:
    """64: 90 days; ids in any case; several events for an operation; a caller is a GUID, a name or a provider."""

    def test_one_operation_makes_several_events(self, log: Simulator) -> None:
        """Only that it succeeded counts, at the time it did; an operation in vain is no write."""
        began = NOW - timedelta(days=3)
        for place, status in enumerate(["Start", "Accept", "Success", "Success"]):
            log.activity.add(Event(time=began + timedelta(minutes=place), resource_id=SITE.upper(), status=status))
        for place, status in enumerate(["Started", "Failed"]):
            log.activity.add(Event(time=began + timedelta(hours=place), resource_id=SITE.lower(), status=status))
        found = read(log).of(SITE)

        assert found is not None
        assert (found.first.at, found.last.at) == (began + timedelta(minutes=2), began + timedelta(minutes=3))

    def test_never_more_than_90_days(self) -> None:
        """Azure refuses to be asked for more, in yet another envelope; so it is not asked."""
        span = span_of(NOW - timedelta(days=365), NOW)

        assert (span.until - span.since, span.cut) == (timedelta(days=90), True)

    def test_a_field_that_was_dropped_is_no_answer(self, answering: Answering) -> None:
        (whole,) = WRITERS["tables"]
        short = whole | {"columns": whole["columns"][:-1], "rows": [whole["rows"][0][:-1]]}

        assert answering.read((200, HEARD), (200, {"tables": [short]})).written(SITE) is None

    def test_recorded_callers_and_ids(self, recordings: Recordings) -> None:
        names = ["activity-log__net-2018", "activity-log__net-2020", "activity-log__ps-2015"]
        events = [event for recording in recordings.named(*names) for event in recording.items]
        callers = {event["caller"] for event in events if event.get("caller")}
        ids = [event.get("resourceId") or event["resourceUri"] for event in events]

        assert {kind_of(caller) for caller in callers} == {CallerKind.APPLICATION, CallerKind.PLATFORM}
        assert all(kind_of(caller) is CallerKind.PLATFORM for caller in callers if "/" in caller)
        assert all(key(each) == key(each.upper()) == key(each.lower()) for each in ids)
