"""The page of a cleanup: what is planned is seen, however much there is to say."""

import pytest

from shared_code.eligibility import Decided, Decision
from shared_code.reports.cleanup import CleanupReport, cleanup_page
from shared_code.reports.page import SHOWN
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy
from shared_code.tag_rules import RuleMode
from tests.fakes import NOW

SUBSCRIPTION = "5e000000-0000-4000-8000-000000000001"
RUN = Run(id="20261122T060000Z-cleanup-00000001", job="cleanup", mode=Mode.PLAN, trigger=TriggeredBy.CLI, requested=NOW)


def decision(name: str, decided: Decided) -> Decision:
    return Decision(
        rule="unattached-disk",
        resource_id=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/disks/{name}",
        subscription_id=SUBSCRIPTION,
        type="Microsoft.Compute/disks",
        decision=decided,
        reasons=("so",),
        due=None,
        first_seen=NOW,
        last_seen=NOW,
        times_seen=1,
        created=None,
        mode=RuleMode.APPROVE,
    )


def page_of(*decisions: Decision, plan: str | None = RUN.id, **counts: int) -> str:
    """The page of a run that made this plan, and counted so many things."""
    report = CleanupReport(
        run=RUN,
        status=RunStatus.SUCCEEDED,
        ended=NOW,
        counts={"planned": 0, "waiting": 0, "reported": 0, "kept": 0} | counts,
        verdicts=(),
        decisions=decisions,
        number=len(decisions),
        plan=plan,
    )
    return b"".join(cleanup_page(report)).decode()


def test_what_is_planned_is_shown_however_late_it_stands() -> None:
    kept = [decision(f"a{number:05}", Decided.KEPT) for number in range(SHOWN)]
    page = page_of(*kept, decision("z-planned", Decided.PLANNED), planned=1, kept=SHOWN)

    assert page.index("/z-planned<") < page.index("/a00000<")
    assert f"/a{SHOWN - 1:05}<" not in page
    assert f"{SHOWN:,} of {SHOWN + 1:,} are shown" in page


@pytest.mark.parametrize(
    ("plan", "counts", "said"),
    [
        (None, {}, "There is nothing to apply.\n0 are watched"),
        (RUN.id, {"planned": 2}, f"Nothing is deleted before somebody applies plan <code>{RUN.id}</code>.\n0 are"),
        (RUN.id, {"planned": 2, "deleted": 1}, f"All else of plan <code>{RUN.id}</code> waits for somebody to apply"),
    ],
    ids=["nothing planned", "planned", "automatic rules applied"],
)
def test_it_says_who_deletes_what_is_planned(plan: str | None, counts: dict[str, int], said: str) -> None:
    """What automatic rules deleted in the same run is not said to wait for somebody."""
    page = page_of(plan=plan, **counts)

    assert said in page
    assert ("Nothing is deleted before" in page) is (counts == {"planned": 2})
