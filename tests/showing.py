"""A store with something of everything that the dashboard shows, with any text that strangers may have written."""

from datetime import datetime, timedelta

import msgspec

from shared_code.compliance import Compliance, Count, Row, Rows
from shared_code.eligibility import Decided, Decision
from shared_code.history import History, HistoryEntry
from shared_code.model import Kind, Reading, Verdict
from shared_code.outputs import COMPLIANCE, DECISIONS, FINDINGS, REPORT, UPCOMING
from shared_code.plan import Action, Observed, Plan, PlanItem, Plans, make_plan
from shared_code.run_records import RunRecords, folder
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy, run_id
from shared_code.store import Store
from shared_code.tag_rules import RuleMode
from shared_code.upcoming import upcoming

SUBSCRIPTION = "5e000000-0000-4000-8000-000000000001"
LEFT = {
    "cleanup": (FINDINGS, DECISIONS, UPCOMING, REPORT),
    "tag-audit": (FINDINGS, COMPLIANCE, REPORT),
    "list-resource-groups": (REPORT,),
    "watchdog": (),
}


def disk(name: str) -> str:
    """The id of a disk."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-a/providers/Microsoft.Compute/disks/{name}"


def ended(job: str, at: datetime, **more: object) -> Run:
    """A run of that job that succeeded."""
    usual: dict[str, object] = {
        "id": run_id(job, at, occurrence=True),
        "job": job,
        "mode": Mode.PLAN,
        "trigger": TriggeredBy.TIMER,
        "requested": at,
        "started": at,
        "ended": at + timedelta(minutes=3, seconds=20),
        "status": RunStatus.SUCCEEDED,
        "outputs": LEFT[job],
    }
    return Run(**usual | more)  # type: ignore[arg-type]  # as they are


def record(store: Store, run: Run) -> Run:
    """Put a run there that has ended or not."""
    RunRecords(store).create(run)
    if run.status.ended:
        store.delete(f"open/{run.id}")
    return run


def decision(name: str, decided: Decided, due: datetime | None, **more: object) -> Decision:
    """One about a disk that no machine uses."""
    usual: dict[str, object] = {
        "rule": "unattached-disk",
        "resource_id": disk(name),
        "subscription_id": SUBSCRIPTION,
        "type": "Microsoft.Compute/disks",
        "decision": decided,
        "reasons": ("no machine uses it",),
        "due": due,
        "first_seen": datetime.fromisoformat("2026-11-01T06:00:00Z"),
        "last_seen": datetime.fromisoformat("2026-11-22T06:00:00Z"),
        "times_seen": 9,
        "created": None,
        "mode": RuleMode.APPROVE,
    }
    return Decision(**usual | more)  # type: ignore[arg-type]  # as they are


def plan_of(run: Run, name: str, text: str) -> Plan:
    """A plan that deletes that disk."""
    item = PlanItem(
        resource_id=disk(name),
        subscription_id=SUBSCRIPTION,
        kind=Kind.RESOURCE,
        type="Microsoft.Compute/disks",
        rule="unattached-disk",
        mode=RuleMode.APPROVE,
        reason=text,
        action=Action.DELETE,
        seen={"owner": text},
        observed=Observed(first_seen=run.requested, last_seen=run.requested, times_seen=9),
    )
    return make_plan(run, [item], {SUBSCRIPTION: {"microsoft.compute/disks": 50}}, run.requested)


def fill(store: Store, now: datetime, text: str = "Shop") -> dict[str, Run]:
    """Put a run of each job there with what it leaves, a plan, and histories; return the last runs by job.

    `text` stands wherever a stranger's may: names, tags, reasons, errors.
    """
    verdict = Verdict(subscription_id=SUBSCRIPTION, subscription_name=text, reading=Reading.COMPLETE)
    counts = {"planned": 1, "waiting": 1, "kept": 2, "findings": 7, "resources": 1234, "resource_groups": 9}
    runs = {}
    for job in LEFT:
        for days in (2, 1):
            at = now - timedelta(days=days)
            run = ended(job, at, counts=counts | {"planned_changes": 1}, subscriptions=(verdict,), requested_by=text)
            if job == "cleanup":
                run = msgspec.structs.replace(run, plan=run.id)
                Plans(store).save(plan_of(run, f"disk-{days}", text))
                decisions = [
                    decision("planned", Decided.PLANNED, None, reasons=(text,), detail=text),
                    decision("soon", Decided.WAITING, now + timedelta(hours=3), reasons=(text,)),
                ]
                store.write(f"{folder(run.id)}/{UPCOMING}", msgspec.json.encode(upcoming(decisions)))
            if job == "tag-audit":
                compliance = Compliance(
                    rules={"owner": Count(10, 1)},
                    subscriptions={SUBSCRIPTION: Row(text, Count(10, 1))},
                    owners=Rows({text: Row(text, Count(10, 1)), "": Row("", Count(4, 4))}),
                )
                store.write(f"{folder(run.id)}/{COMPLIANCE}", msgspec.json.encode(compliance))
            if REPORT in run.outputs:
                store.write(f"{folder(run.id)}/{REPORT}", b"<!doctype html><title>Report</title><h1>Report</h1>")
            runs[job] = record(store, run)
            entry = HistoryEntry(run=run.id, taken=at, status=run.status, percent=90.0 + days, counts=counts)
            History(store, job).append(entry)
    return runs
