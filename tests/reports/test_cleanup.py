"""The page of a cleanup: what is planned is seen, however much there is to say."""

from shared_code.eligibility import Decided, Decision
from shared_code.reports.cleanup import SHOWN, CleanupReport, cleanup_page
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy
from shared_code.tag_rules import RuleMode
from tests.fakes import NOW

SUBSCRIPTION = "5e000000-0000-4000-8000-000000000001"


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


def test_what_is_planned_is_shown_however_late_it_stands() -> None:
    kept = [decision(f"a{number:05}", Decided.KEPT) for number in range(SHOWN)]
    report = CleanupReport(
        run=Run(
            id="20261122T060000Z-cleanup-00000001", job="cleanup", mode=Mode.PLAN, trigger=TriggeredBy.CLI,
            requested=NOW,
        ),
        status=RunStatus.SUCCEEDED,
        ended=NOW,
        counts={"planned": 1, "waiting": 0, "reported": 0, "kept": SHOWN},
        verdicts=(),
        decisions=iter([*kept, decision("z-planned", Decided.PLANNED)]),
        number=SHOWN + 1,
    )  # fmt: skip

    page = b"".join(cleanup_page(report)).decode()

    assert page.index("/z-planned<") < page.index("/a00000<")
    assert f"/a{SHOWN - 1:05}<" not in page
    assert f"{SHOWN:,} of {SHOWN + 1:,} are shown" in page
