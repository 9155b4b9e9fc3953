"""What a person in front of a terminal sees."""

import re
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from shared_code import terminal
from shared_code.catalog import JobView
from shared_code.eligibility import Decided, Decision
from shared_code.foreign_text import one_line
from shared_code.group_changes import Change, GroupChange
from shared_code.losses import Loss
from shared_code.model import Finding, Kind, Lock, Reading, ResourceGroup, Severity, TagChange, Verdict
from shared_code.outcomes import Outcome, Result
from shared_code.plan import Action, Plan, PlanItem, make_plan
from shared_code.plan_views import PlanState, PlanView
from shared_code.runs import Mode, Progress, Run, RunStatus, TriggeredBy
from shared_code.schedules import judge
from shared_code.tag_rules import RuleMode
from shared_code.tombstones import Member
from shared_code.undo import Left

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
RUN = Run(
    id="20261122T120000Z-list-resource-groups-9c01f2ab",
    job="list-resource-groups",
    mode=Mode.PLAN,
    trigger=TriggeredBy.HTTP,
    requested=NOON,
    requested_by="operator@example.com",
    status=RunStatus.SUCCEEDED,
    attempt=1,
    started=NOON,
    ended=NOON + timedelta(seconds=3),
    counts={"resource_groups": 1234},
)
GROUP = ResourceGroup(
    id="/subscriptions/s/resourceGroups/rg-web",
    name="rg-web",
    subscription_id="s",
    subscription_name="Shop",
    location="westeurope",
    tags={"owner": "team@example.com", "DoNotDelete": None},
    managed_by=None,
    provisioning_state="Succeeded",
    created=NOON,
    resources=1200,
    locks=tuple(
        Lock(f"/l/{level}", "keep", level, "/subscriptions/s") for level in ("ReadOnly", "CanNotDelete", "ReadOnly")
    ),
)
CHANGE = GroupChange(
    Change.CHANGED, GROUP.id, GROUP.name, "s", "Shop", NOON, {"managed_by": (None, "x"), "tags": ({}, {"a": "b"})}
)
JOB = JobView(
    name="list-resource-groups",
    schedule="0 0 5 * * *",
    timer=True,
    next_runs=(NOON, NOON + timedelta(days=1)),
    runnable=True,
    problems=(),
    last_run=RUN,
)
FINDING = Finding(
    rule="owner",
    kind="missing",
    resource_id=GROUP.id,
    subscription_id="s",
    severity=Severity.HIGH,
    detail="the tag 'owner' is missing",
)
ITEM = PlanItem(
    resource_id=GROUP.id,
    subscription_id="s",
    kind=Kind.RESOURCE_GROUP,
    rule="owner",
    mode=RuleMode.APPROVE,
    reason=FINDING.detail,
    seen={},
    change=TagChange(set={"owner": "team@example.com"}),
)
OUTCOME = Outcome(
    plan=RUN.id,
    item=0,
    resource_id=GROUP.id,
    subscription_id="s",
    rule="owner",
    action=Action.CHANGE_TAGS,
    outcome=Result.CHANGED,
    change=TagChange(set={"owner": "team@example.com"}),
    at=NOON,
)
DECISION = Decision(
    rule="unattached-disk",
    resource_id=GROUP.id,
    subscription_id="s",
    type="Microsoft.Compute/disks",
    decision=Decided.WAITING,
    reasons=("it was seen once", "it is too young"),
    due=None,
    first_seen=NOON,
    last_seen=NOON,
    times_seen=1,
    created=None,
    mode=RuleMode.APPROVE,
    detail="no machine uses it",
)
LEFT = Left(GROUP.id, "s", "owner", "the tag 'owner' has the value 'x' by now")
VIEW = PlanView(
    id=RUN.id,
    job=RUN.job,
    state=PlanState.OPEN,
    items=4,
    things="changes",
    begun=0,
    created=NOON,
    expires=NOON + timedelta(days=3),
)
LOSS = Loss(
    resource_id=GROUP.id,
    subscription_id="s",
    rule="expired",
    outcome=Result.DELETED,
    reason=None,
    at=NOON,
    plan="p",
    item=0,
    begun_by=RUN.id,
    tombstone="tombstones/p/000000.json",
    kept=True,
    because="its date has passed",
    members=(Member(f"{GROUP.id}/providers/a.b/c/one", "a.b/c"),),
)
UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
Seen = pytest.CaptureFixture[str]


def window(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Let tables be this wide."""
    monkeypatch.setattr(terminal, "PIPE_WIDTH", columns)


def plan_of(number: int, item: PlanItem = ITEM) -> Plan:
    """Make a plan that has the item so many times."""
    return make_plan(RUN, [item] * number, {}, NOON)


class TestGroups:
    """The table of resource groups."""

    def test_a_wide_window(self, capsys: Seen) -> None:
        """One line each, with thousands separated and tags as received."""
        terminal.show_groups([GROUP], 1)

        lines = capsys.readouterr().out.splitlines()
        assert lines[1].split() == ["Resource", "group", "Subscription", "Location", "Resources", "Locks", "Tags"]
        tags = "owner=team@example.com, DoNotDelete="
        shown = ["rg-web", "Shop", "westeurope", "1,200", "CanNotDelete,", "ReadOnly", tags]
        assert lines[3].rstrip().split(maxsplit=6) == shown

    def test_unread_is_not_empty(self, capsys: Seen) -> None:
        """Resources and locks that were not read are `not read`; 0 is for groups that were seen empty."""
        unread = msgspec.structs.replace(GROUP, name="rg-unread", resources=None, locks=None)
        empty = msgspec.structs.replace(GROUP, name="rg-empty", resources=0, locks=())

        terminal.show_groups([unread, empty], 2)

        lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
        assert re.search(r"westeurope +not read +not read +owner", lines["rg-unread"])
        assert re.search(r"westeurope +0 +owner", lines["rg-empty"])

    def test_half_read_is_said_column_by_column(self, capsys: Seen) -> None:
        """Resources may be counted where locks could not be read, and the other way round."""
        counted = msgspec.structs.replace(GROUP, name="rg-counted", resources=0, locks=None)
        locked = msgspec.structs.replace(GROUP, name="rg-locked", resources=None)

        terminal.show_groups([counted, locked], 2)

        lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
        assert re.search(r"westeurope +0 +not read +owner", lines["rg-counted"])
        assert re.search(r"westeurope +not read +CanNotDelete, ReadOnly +owner", lines["rg-locked"])

    def test_more_than_fit(self, capsys: Seen) -> None:
        """Fifty are shown, and how many there are beyond is said."""
        many = [msgspec.structs.replace(GROUP, name=f"rg-{number}") for number in range(60)]

        terminal.show_groups(many, 60)

        shown = capsys.readouterr().out
        assert len(re.findall(r"rg-\d+", shown)) == 50
        assert shown.endswith("… and 10 more resource groups: all are in the report.\n")

    def test_none(self, capsys: Seen) -> None:
        """An estate without resource groups has no table."""
        terminal.show_groups([], 0)

        assert capsys.readouterr().out == ""

    def test_a_narrow_window(self, capsys: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
        """Columns that are left out are named; no text is cut off."""
        window(monkeypatch, 48)
        group = msgspec.structs.replace(GROUP, name="rg-with-a-rather-long-name-that-takes-two-lines-here")

        terminal.show_groups([group], 1)

        shown = capsys.readouterr().out
        assert " ".join(shown.split()).endswith("Left out, as the window is narrow: tags, location, locks.")
        assert "rg-with-a-rather-long-name-that-takes-two-lines-here" in re.sub(r"\s+(Shop\s+1,200)?\s*", "", shown)

    def test_a_very_narrow_window(self, capsys: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where no table fits each row is a paragraph that has everything."""
        window(monkeypatch, 30)
        group = msgspec.structs.replace(GROUP, name="rg-with-a-long-name", subscription_name="Shop Production")

        terminal.show_groups([group], 1)

        assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
            "rg-with-a-long-name",
            "  subscription Shop Production",
            "  location westeurope",
            "  resources 1,200",
            "  locks CanNotDelete, ReadOnly",
            "  tags owner=team@example.com,",
            "  DoNotDelete=",
        ]

    def test_a_narrow_paragraph(self, capsys: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
        """Facts stand side by side as far as they fit; none is torn apart that fits a line."""
        window(monkeypatch, 40)
        long = "tags-that-are-a-word"
        group = msgspec.structs.replace(GROUP, name="rg-with-a-rather-long-name", locks=(), tags={long: long})

        terminal.show_groups([group] * 2, 2)

        assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
            "rg-with-a-rather-long-name",
            "  subscription Shop",
            "  location westeurope · resources 1,200",
            "  tags",
            "  tags-that-are-a-word=tags-that-are-a-w",
            "  ord",
        ] * 2


class TestRuns:
    """The list of runs."""

    @pytest.mark.parametrize("columns", [160, 80, 60])
    def test_the_id_can_be_copied(self, capsys: Seen, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
        """Id, start and status of a run are whole, whatever the width."""
        window(monkeypatch, columns)

        terminal.show_runs([RUN, msgspec.structs.replace(RUN, status=RunStatus.FAILED, error="cannot read it")])

        shown = capsys.readouterr().out
        for text in (RUN.id, "2026-11-22T12:00:00Z", "succeeded", "failed"):
            assert text in shown
        assert "cannot read it" in " ".join(shown.split())
        assert max(map(cell_len, shown.splitlines())) <= columns

    def test_a_run_that_waits(self, capsys: Seen) -> None:
        """A queued run has neither start nor duration."""
        terminal.show_runs([Run(id=RUN.id, job=RUN.job, mode=Mode.PLAN, trigger=TriggeredBy.TIMER, requested=NOON)])

        line = capsys.readouterr().out.splitlines()[3]
        assert line.split() == [RUN.id, "plan", "timer", "queued"]


class TestRun:
    """How one run went."""

    def test_a_run_that_has_ended(self, capsys: Seen) -> None:
        """Who started it, when, and its counts; neither progress nor a first attempt is worth a line."""
        terminal.show_run(msgspec.structs.replace(RUN, progress=Progress(18, 19)))

        assert capsys.readouterr().out.splitlines() == [
            f"{RUN.id}  succeeded",
            "  job                      list-resource-groups, mode plan",
            "  trigger                  http by operator@example.com (not verified)",
            "  requested                2026-11-22T12:00:00Z",
            "  started                  2026-11-22T12:00:00Z",
            "  ended                    2026-11-22T12:00:03Z",
            "  resource groups          1,234",
        ]

    def test_a_run_that_failed_names_the_page_that_helps(self, capsys: Seen) -> None:
        terminal.show_run(msgspec.structs.replace(RUN, status=RunStatus.FAILED, error="cannot read it"))

        assert capsys.readouterr().out.splitlines()[-2:] == [
            "  error                    cannot read it",
            "  help                     runbooks/a-run-failed.md",
        ]

    def test_a_run_under_way(self, capsys: Seen) -> None:
        """Its occurrence, its attempt and how far it is."""
        run = msgspec.structs.replace(
            RUN, status=RunStatus.RUNNING, trigger=TriggeredBy.TIMER, requested_by=None, scheduled_for=NOON,
            past_due=True, attempt=2, ended=None, counts={}, progress=Progress(1, 3),
        )  # fmt: skip

        terminal.show_run(run)

        shown = capsys.readouterr().out
        assert "  trigger                  timer\n" in shown
        assert "  scheduled for            2026-11-22T12:00:00Z (past due)\n" in shown
        assert "  attempt                  2\n" in shown
        assert "  progress                 1 of 3 subscriptions (33 %)\n" in shown

    def test_of_a_schedule_in_local_time(self, capsys: Seen) -> None:
        """In both times."""
        at = NOON.astimezone(timezone(timedelta(hours=1)))
        run = msgspec.structs.replace(RUN, scheduled_for=NOON, scheduled_local=at, timezone="Europe/Berlin")
        terminal.show_run(run)

        line = "  scheduled for            2026-11-22T12:00:00Z, 2026-11-22T13:00:00+01:00 Europe/Berlin\n"
        assert line in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"progress": None}, "for 2 min 0 s"),
            ({"progress": Progress(0, 0)}, "0 of 0 subscriptions, for 2 min 0 s"),
            ({"progress": Progress(0, 1200)}, "0 of 1,200 subscriptions (0 %), for 2 min 0 s"),
            ({"progress": Progress(999, 1000)}, "999 of 1,000 subscriptions (99 %), for 2 min 0 s, about 0.1 s left"),
            ({"progress": Progress(2, 8, "changes")}, "2 of 8 changes (25 %), for 2 min 0 s, about 6 min 0 s left"),
            ({"progress": Progress(8, 8, "changes")}, "8 of 8 changes (100 %), for 2 min 0 s"),
            ({"progress": Progress(2, 8), "attempt": 2}, "2 of 8 subscriptions (25 %), for 2 min 0 s"),
            ({"progress": Progress(2, 8), "status": RunStatus.QUEUED}, "2 of 8 subscriptions (25 %)"),
            (
                {"progress": Progress(2, 8), "started": NOON + timedelta(hours=1)},
                "2 of 8 subscriptions (25 %), for 0.0 s",
            ),
        ],
        ids=["none", "nothing to do", "just begun", "nearly", "a quarter", "all", "goes on", "waits", "clocks differ"],
    )
    def test_how_far_it_is(self, capsys: Seen, changes: dict[str, object], said: str) -> None:
        """For how long, and about how much longer where that can be told: not from what an earlier attempt has done."""
        fields: dict[str, object] = {"status": RunStatus.RUNNING, "ended": None, "counts": {}}

        terminal.show_run(msgspec.structs.replace(RUN, **fields | changes), NOON + timedelta(minutes=2))

        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  progress")]
        assert lines == [f"  {'progress':<24} {said}"]

    def test_a_run_that_has_ended_makes_no_progress(self, capsys: Seen) -> None:
        """How far it was is no news."""
        terminal.show_run(msgspec.structs.replace(RUN, progress=Progress(3, 3)), NOON)

        assert "progress" not in capsys.readouterr().out

    def test_what_was_not_read(self, capsys: Seen) -> None:
        """Every subscription that was not read completely has a line with the whole reason; complete ones have none."""
        reason = "cannot read resource groups: " + "word " * 60 + "the end"
        verdicts = (
            Verdict(subscription_id="a", subscription_name="Whole", reading=Reading.COMPLETE),
            Verdict(subscription_id="b", subscription_name="", reading=Reading.INCOMPLETE, reason=reason),
            Verdict(subscription_id="c", subscription_name="Closed", reading=Reading.SKIPPED, reason="it is Disabled"),
            Verdict(
                subscription_id="d", subscription_name="Left", reading=Reading.NOT_VISIBLE, reason="no longer listed"
            ),
        )

        terminal.show_run(msgspec.structs.replace(RUN, subscriptions=verdicts, error=reason))

        lines = capsys.readouterr().out.splitlines()
        assert lines[-4:] == [
            f"  error                    {reason}",
            f"not read completely: (no name) (b): {reason}",
            "skipped: Closed (c): it is Disabled",
            "not visible: Left (d): no longer listed",
        ]


class TestChanges:
    """What is new, gone or changed."""

    def test_a_line_each(self, capsys: Seen) -> None:
        """What happened, to which group of which subscription, and which fields have another value."""
        gone = msgspec.structs.replace(CHANGE, change=Change.GONE, name="rg-old", fields={})

        terminal.show_changes([CHANGE, gone], 2)

        assert capsys.readouterr().out.splitlines() == [
            "changed: rg-web (Shop): managed by, tags",
            "gone: rg-old (Shop)",
        ]

    def test_more_than_fit(self, capsys: Seen) -> None:
        """Fifty are shown, and how many there are beyond is said."""
        terminal.show_changes([CHANGE] * 1060, 1060)

        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 51
        assert lines[-1] == "… and 1,010 more changes: all are in the report."

    def test_none(self, capsys: Seen) -> None:
        """Nothing changed, nothing is printed."""
        terminal.show_changes([], 0)

        assert capsys.readouterr().out == ""


class TestFindings:
    """What is wrong."""

    def test_two_lines_each(self, capsys: Seen) -> None:
        """How bad, which rule, what is wrong, and where."""
        terminal.show_findings([FINDING], 1)

        assert capsys.readouterr().out.splitlines() == [
            "high owner: the tag 'owner' is missing",
            "  /subscriptions/s/resourceGroups/rg-web",
        ]

    def test_more_than_fit(self, capsys: Seen) -> None:
        """Fifty are shown, and how many there are beyond is said."""
        terminal.show_findings([FINDING] * 1060, 1060)

        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 101
        assert lines[-1] == "… and 1,010 more findings: all are in the report."

    def test_none(self, capsys: Seen) -> None:
        """Nothing is wrong, nothing is printed."""
        terminal.show_findings([], 0)

        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(
        ("counts", "words"),
        [
            ({"checks": 130, "violations": 20, "exempted": 0}, "84.6 %"),
            ({"checks": 1000, "violations": 1, "exempted": 990}, "90.0 %"),
            ({"checks": 10_000, "violations": 1, "exempted": 0}, "99.9 %"),
            ({"checks": 5, "violations": 0, "exempted": 5}, "nothing to judge"),
            ({"checks": 0, "violations": 0, "exempted": 0}, "nothing to judge"),
        ],
    )
    def test_compliance(self, capsys: Seen, counts: dict[str, int], words: str) -> None:
        """Of what was passed or failed, never rounded up; where there is nothing, it is not 100 %."""
        terminal.show_run(msgspec.structs.replace(RUN, counts=counts))

        assert f"  compliance               {words}\n" in capsys.readouterr().out

    def test_a_job_that_judges_nothing_has_no_compliance(self, capsys: Seen) -> None:
        """Its run says nothing about it."""
        terminal.show_run(RUN)

        assert "compliance" not in capsys.readouterr().out


class TestDecisions:
    """What cleanup has decided."""

    def test_what_is_planned_stands_first(self, capsys: Seen) -> None:
        """Then what nobody could look at, then what waits, each with its reasons; all else is only counted."""
        order = (Decided.KEPT, Decided.WAITING, Decided.UNREAD, Decided.PLANNED, Decided.REPORTED)
        terminal.show_decisions((msgspec.structs.replace(DECISION, decision=each) for each in order), 5)

        shown = capsys.readouterr().out.splitlines()
        assert shown[:4] == [
            "planned unattached-disk: no machine uses it",
            f"  {GROUP.id}",
            "    it was seen once",
            "    it is too young",
        ]
        assert [line.split()[0] for line in shown[::4]] == ["planned", "unread", "waiting", "…"]
        assert shown[-1] == "… and 2 more decisions: all are in the report, each with its reason."

    def test_more_than_fit(self, capsys: Seen) -> None:
        """Fifty are shown, and one that is planned is among them however many wait."""
        planned = msgspec.structs.replace(DECISION, decision=Decided.PLANNED)
        terminal.show_decisions([*[DECISION] * 60, planned], 61)

        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 50 * 4 + 1
        assert lines[0] == "planned unattached-disk: no machine uses it"
        assert lines[-1] == "… and 11 more decisions: all are in the report, each with its reason."


class TestPlan:
    """What a plan would change."""

    def test_what_whoever_applies_it_must_know(self, capsys: Seen) -> None:
        """Its digest, until when it holds, and each change with its rule and reason."""
        terminal.show_plan(plan_of(1), None)

        shown = capsys.readouterr().out.splitlines()
        assert shown[0] == f"{RUN.id}  1 change"
        assert shown[2:4] == [
            "  created                  2026-11-22T12:00:00Z",
            "  expires                  2026-11-25T12:00:00Z",
        ]
        assert shown[4] == f"  digest                   {plan_of(1).digest}"
        assert shown[5:] == [
            "approve owner: set 'owner' to 'team@example.com'",
            "  /subscriptions/s/resourceGroups/rg-web: the tag 'owner' is missing",
            f"To apply it: steward apply {RUN.id} --digest {plan_of(1).digest}",
        ]

    def test_what_it_deletes(self, capsys: Seen) -> None:
        """How much of each type, in any spelling; and how much that is with what is in it, as limits count it."""
        found = {
            "data": ("Microsoft.Compute/disks", ()),
            "logs": ("microsoft.compute/disks", ()),
            "rg-old": ("Microsoft.Resources/resourceGroups", (f"{GROUP.id}/providers/Microsoft.Web/sites/app",)),
        }
        items = [
            msgspec.structs.replace(
                ITEM, action=Action.DELETE, change=None, resource_id=f"{GROUP.id}/{name}", type=type_, members=members
            )
            for name, (type_, members) in found.items()
        ]

        terminal.show_plan(make_plan(RUN, items, {}, NOON), None)

        shown = capsys.readouterr().out.splitlines()
        types = "2 Microsoft.Compute/disks, 1 Microsoft.Resources/resourceGroups"
        assert shown[0] == f"{RUN.id}  3 deletions"
        assert shown[5] == f"  deletes                  {types}; 4 with what is in them"
        assert shown[6] == "approve owner: delete it"
        assert shown[10] == "approve owner: delete it and the 1 thing in it"

    def test_what_would_be_refused(self, capsys: Seen) -> None:
        """Why stands where the command to apply it would."""
        terminal.show_plan(plan_of(1), "Changes are stopped.")

        assert capsys.readouterr().out.splitlines()[7:] == ["Applying all of it is refused now: Changes are stopped."]

    def test_nothing_to_apply(self, capsys: Seen) -> None:
        """No command is shown that would do nothing."""
        terminal.show_plan(plan_of(0), None)

        assert capsys.readouterr().out.splitlines()[5:] == ["There is nothing to apply."]

    def test_nothing_of_a_change_is_cut_off(self, capsys: Seen) -> None:
        """The longest keys and values Azure allows, and a long id, can be read to their end."""
        change = TagChange(set={"k" * 511 + "!": "v" * 255 + "!"}, remove=("o" * 511 + "?",))
        item = msgspec.structs.replace(ITEM, resource_id=f"{GROUP.id}/{'x' * 800}end", change=change)

        terminal.show_plan(plan_of(1, item), None)

        shown = capsys.readouterr().out.splitlines()
        assert shown[5] == f"approve owner: {change.words}"
        assert shown[6] == f"  {item.resource_id}: {item.reason}"

    def test_more_than_fit(self, capsys: Seen) -> None:
        """Fifty are shown, and where the others are is said."""
        terminal.show_plan(plan_of(1060), None)

        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 5 + 100 + 2
        assert lines[-2] == f"… and 1,010 more: 'steward plan {RUN.id} --json' has them all."


class TestOutcomes:
    """What became of a plan."""

    def test_each_with_its_resource_and_its_reason(self, capsys: Seen) -> None:
        """Two lines each, in the order given; what was changed needs no reason."""
        left = msgspec.structs.replace(OUTCOME, outcome=Result.SKIPPED, reason="the tag 'owner' is there by now")
        failed = msgspec.structs.replace(OUTCOME, outcome=Result.FAILED, reason="a lock")

        terminal.show_outcomes([OUTCOME, left, failed], 3)

        assert capsys.readouterr().out.splitlines() == [
            "changed owner: set 'owner' to 'team@example.com'",
            f"  {GROUP.id}",
            "skipped owner: set 'owner' to 'team@example.com'",
            f"  {GROUP.id}: the tag 'owner' is there by now",
            "failed owner: set 'owner' to 'team@example.com'",
            f"  {GROUP.id}: a lock",
        ]

    def test_more_than_fit(self, capsys: Seen) -> None:
        """Fifty are shown, and how many there are beyond is said."""
        terminal.show_outcomes([OUTCOME] * 1060, 1060)

        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 101
        assert lines[-1] == "… and 1,010 more outcomes: all are in the report."

    def test_none(self, capsys: Seen) -> None:
        """Nothing was to be done."""
        terminal.show_outcomes([], 0)

        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("result", Result)
    def test_every_result(self, capsys: Seen, result: Result) -> None:
        """Each can be shown."""
        terminal.show_outcomes([msgspec.structs.replace(OUTCOME, outcome=result)], 1)

        assert capsys.readouterr().out.startswith(f"{result} owner: ")


class TestLeft:
    """What an undo leaves as it is."""

    def test_each_with_its_reason(self, capsys: Seen) -> None:
        """Two lines each."""
        terminal.show_left([LEFT], 1)

        assert capsys.readouterr().out.splitlines() == [
            "not restored owner: the tag 'owner' has the value 'x' by now",
            f"  {GROUP.id}",
        ]

    def test_more_than_fit(self, capsys: Seen) -> None:
        """Fifty are shown, and how many there are beyond is said."""
        terminal.show_left([LEFT] * 1060, 1060)

        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 101
        assert lines[-1] == "… and 1,010 more that are not restored: all are in the report."

    def test_none(self, capsys: Seen) -> None:
        """All is restored."""
        terminal.show_left([], 0)

        assert capsys.readouterr().out == ""


class TestPlans:
    """The list of plans."""

    def test_each_with_what_became_of_it(self, capsys: Seen) -> None:
        """How many things, until when, and how much of it was begun."""
        applied = msgspec.structs.replace(VIEW, state=PlanState.APPLIED, begun=4)
        part = msgspec.structs.replace(applied, begun=1)
        one = msgspec.structs.replace(VIEW, items=1, things="deletions", state=PlanState.EXPIRED)

        terminal.show_plans([VIEW, applied, part, one])

        _, heading, _, *lines = capsys.readouterr().out.splitlines()
        assert heading.split() == ["Plan", "Job", "Items", "Made", "Expires", "Status"]
        named = rf" *{VIEW.id} +list-resource-groups"
        times = r"2026-11-22T12:00:00Z +2026-11-25T12:00:00Z"
        assert re.fullmatch(rf"{named} +4 changes +{times} +open *", lines[0])
        assert re.fullmatch(rf"{named} +4 changes +{times} +applied *", lines[1])
        assert re.fullmatch(rf"{named} +4 changes +{times} +applied, 1 of 4 *", lines[2])
        assert re.fullmatch(rf"{named} +1 deletion +{times} +expired *", lines[3])

    def test_a_damaged_one(self, capsys: Seen) -> None:
        """It has its line, and below what is wrong with it."""
        terminal.show_plans([PlanView(id=RUN.id, job=RUN.job, state=PlanState.DAMAGED, problem="It is damaged."), VIEW])

        lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        assert re.fullmatch(rf" *{RUN.id} +{RUN.job} +damaged", lines[3])
        assert lines[4].endswith("open")
        assert lines[-1] == "problem: It is damaged."

    @pytest.mark.parametrize("columns", [80, 60])
    def test_a_narrow_window(self, capsys: Seen, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
        """The id stands alone, so that it can be copied; no time is torn apart."""
        window(monkeypatch, columns)

        terminal.show_plans([VIEW])

        shown = capsys.readouterr().out
        assert shown.splitlines()[0] == VIEW.id
        assert "made 2026-11-22T12:00:00Z" in shown
        assert "expires 2026-11-25T12:00:00Z" in shown
        assert max(map(cell_len, shown.splitlines())) <= columns


class TestLosses:
    """What a run deleted."""

    def test_each_with_where_it_is_kept(self, capsys: Seen) -> None:
        """Why it was deleted, what went with it, and the key of its tombstone; then where these are."""
        terminal.show_losses(RUN, [LOSS], "file:///store")

        assert capsys.readouterr().out.splitlines() == [
            "deleted expired: its date has passed",
            f"  {GROUP.id}",
            "  tombstone  tombstones/p/000000.json",
            f"  with it    {GROUP.id}/providers/a.b/c/one",
            "Tombstones are in file:///store; runbooks/recover-after-a-wrong-deletion.md says what they are good for.",
        ]

    def test_what_is_less_simple(self, capsys: Seen) -> None:
        """Nobody knows the end, another run began it, it failed, the tombstone is not there or cannot be read."""
        terminal.show_losses(
            RUN,
            [
                msgspec.structs.replace(LOSS, outcome=None, kept=False, because=None, members=()),
                msgspec.structs.replace(LOSS, begun_by="another", members=()),
                msgspec.structs.replace(LOSS, outcome=Result.FAILED, reason="it is locked", members=(), problem="bad"),
                msgspec.structs.replace(LOSS, tombstone=None, members=()),
            ],
            "file:///store",
        )

        kept = "  tombstone  tombstones/p/000000.json"
        assert capsys.readouterr().out.splitlines()[:-1] == [
            *("under way expired", f"  {GROUP.id}", f"{kept} is not in the store"),
            *("deleted expired: its date has passed", f"  {GROUP.id}", "  begun by   another", kept),
            *(
                "failed expired: its date has passed",
                f"  {GROUP.id}",
                "  outcome    it is locked",
                kept,
                "  problem    bad",
            ),
            *("deleted expired: its date has passed", f"  {GROUP.id}", "  tombstone  none"),
        ]

    def test_more_than_fit(self, capsys: Seen) -> None:
        """Fifty are shown of things, and of what went with one; where the others are is said."""
        crowded = msgspec.structs.replace(LOSS, members=LOSS.members * 1060)
        terminal.show_losses(RUN, [crowded, *[msgspec.structs.replace(LOSS, members=())] * 1059], "file:///store")

        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 50 * 3 + 50 + 1 + 2
        assert lines[53] == "  … and 1,010 more that went with it."
        assert lines[-2] == f"… and 1,010 more: 'steward deleted {RUN.id} --json' has all."

    @pytest.mark.parametrize(
        ("status", "said"), [(RunStatus.SUCCEEDED, ""), (RunStatus.RUNNING, " so far")], ids=["ended", "running"]
    )
    def test_none(self, capsys: Seen, status: RunStatus, said: str) -> None:
        """Nothing was deleted, or nothing yet."""
        terminal.show_losses(msgspec.structs.replace(RUN, status=status), [], "file:///store")

        assert capsys.readouterr().out == f"Run {RUN.id} has deleted nothing{said}.\n"


class TestCheck:
    """What `steward check` says to people."""

    def test_a_line_each(self, capsys: Seen) -> None:
        """Programs get each problem and each warning whole, in a line of its own."""
        long = "steward.toml: " + "word " * 60 + "end"
        terminal.show_check([long], ["it may surprise"], "1 problem found.")

        assert capsys.readouterr().out.splitlines() == [long, "warning: it may surprise", "1 problem found."]


class TestJobs:
    """The list of jobs."""

    @pytest.mark.parametrize("columns", [160, 80, 60])
    def test_times_are_whole(self, capsys: Seen, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
        """Next and last run can be read at any width; a problem of two jobs is printed once."""
        window(monkeypatch, columns)
        idle = msgspec.structs.replace(
            JOB, name="watchdog", schedule=None, timer=False, next_runs=(), last_run=None, problems=("it is wrong",)
        )

        terminal.show_jobs([msgspec.structs.replace(JOB, problems=("it is wrong",)), idle])

        shown = capsys.readouterr().out
        assert shown.count("2026-11-22T12:00:00Z") == 2
        assert "none: run by hand only" in " ".join(shown.split())
        assert shown.count("problem: it is wrong") == 1
        assert "armed" not in shown
        assert max(map(cell_len, shown.splitlines())) <= columns

    def test_where_a_job_may_change_something(self, capsys: Seen) -> None:
        """Nobody should have to read steward.toml to know."""
        by_hand = msgspec.structs.replace(JOB, name="cleanup", mode=Mode.PLAN, armed_subscriptions=("a",))
        by_timer = msgspec.structs.replace(JOB, name="tag-audit", mode=Mode.APPLY, armed_subscriptions=("a", "b"))

        terminal.show_jobs([by_hand, by_timer])

        lines = capsys.readouterr().out.splitlines()
        assert "armed: cleanup in 1 subscription, approved plans only" in lines
        assert "armed: tag-audit in 2 subscriptions, automatic rules too" in lines

    def test_by_the_clocks_of_a_zone(self, capsys: Seen) -> None:
        """Both times, the cost, and the next change of the clocks; UTC is not claimed where it is not meant."""
        schedule = judge("0 30 2 * * *", {}, "Europe/Berlin").schedule
        assert schedule is not None
        local = schedule.local_times(NOON, schedule.upcoming(NOON, 1))
        berlin = msgspec.structs.replace(JOB, schedule=schedule.text, timezone="Europe/Berlin", local=local)

        terminal.show_jobs([berlin, JOB])

        shown = capsys.readouterr().out
        lines = shown.splitlines()
        assert "0 30 2 * * * Europe/Berlin" in shown
        assert "Schedule (UTC)" not in shown
        assert f"local time: {JOB.name} runs next at 2026-11-23T02:30:00+01:00 Europe/Berlin" in lines
        timer = f"local time: {JOB.name} has the timer 0 30 0-1 * * * in UTC; calls a day that start nothing: 1"
        assert timer in lines
        assert any(line.startswith(f"clock change: {JOB.name}: on 2027-03-28 the clocks of ") for line in lines)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=80), columns=st.integers(30, 170))
def test_no_text_drives_the_terminal(capsys: Seen, monkeypatch: pytest.MonkeyPatch, text: str, columns: int) -> None:
    """Whatever strangers write, no control or direction mark comes out, and tables stay within the window."""
    window(monkeypatch, columns)
    group = msgspec.structs.replace(
        GROUP, name=text, subscription_name=text, location=text[:20], tags={text: text}, resources=None,
        locks=(Lock(text, text, text[:20], text, text),),
    )  # fmt: skip
    change = GroupChange(Change.CHANGED, text, text, text, text, NOON, {"tags": ({}, {text: text})})
    verdict = Verdict(subscription_id=text, subscription_name=text, reading=Reading.INCOMPLETE, reason=text)

    terminal.show_groups([group], 1)
    terminal.show_runs([msgspec.structs.replace(RUN, error=text)])
    tables = capsys.readouterr().out
    terminal.show_run(msgspec.structs.replace(RUN, error=text, requested_by=text, subscriptions=(verdict,)))
    record = capsys.readouterr().out
    terminal.show_changes([change], 1)
    changes = capsys.readouterr().out
    terminal.show_findings([msgspec.structs.replace(FINDING, rule=text, detail=text, resource_id=text)], 1)
    findings = capsys.readouterr().out
    item = msgspec.structs.replace(
        ITEM, rule=text, reason=text, resource_id=f"/subscriptions/s/{text.replace('.', '')}",
        change=TagChange(set={text: text}, remove=(text,)),
    )  # fmt: skip
    terminal.show_plan(msgspec.structs.replace(plan_of(0), items=(item,)), text or "x")
    plan = capsys.readouterr().out

    outcome = msgspec.structs.replace(
        OUTCOME, rule=text, reason=text, resource_id=text, change=TagChange(set={text: text}, remove=(text,))
    )
    terminal.show_outcomes([outcome], 1)
    terminal.show_left([Left(text, text, text, text)], 1)
    terminal.show_decisions([msgspec.structs.replace(DECISION, rule=text, detail=text, reasons=(text,))], 1)
    outcomes = capsys.readouterr().out

    loss = msgspec.structs.replace(
        LOSS, resource_id=text, rule=text, because=text, reason=text, problem=text, members=(Member(text, text),)
    )
    terminal.show_losses(RUN, [loss], "memory:")
    terminal.show_plans([msgspec.structs.replace(VIEW, state=PlanState.DAMAGED, problem=text or "x")])
    terminal.show_check([text], [text], text)
    terminal.show_jobs([msgspec.structs.replace(JOB, schedule=text, words=text, problems=(text,), warnings=(text,))])
    others = capsys.readouterr().out

    assert UNSAFE.findall(tables + record + changes + findings + plan + outcomes + others) == []
    assert (findings.count("\n"), plan.count("\n"), outcomes.count("\n")) == (2, 8, 7)
    assert changes.count("\n") == 1
    assert len(record.split("\n")) <= len(terminal._STYLE) + 7
    assert max(cell_len(line) for line in tables.split("\n") if line not in (RUN.id, *_headings(text))) <= columns


def _headings(text: str) -> list[str]:
    """A paragraph's first line is printed as it is, so that a long name can be copied."""
    return [one_line(text)]


def test_no_bar_without_a_terminal(capsys: Seen) -> None:
    """The progress of a quick run leaves nothing in a file or a pipe."""
    with terminal.progress_bar("list-resource-groups") as watch:
        watch(Progress(0, 3))
        watch(Progress(3, 3))

    assert capsys.readouterr() == ("", "")
