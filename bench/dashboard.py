"""How long the dashboard makes somebody wait: `python -m bench.dashboard`; a line for each figure, 1 if one is missed.

A store with 1,000 runs of all jobs, the last of which left 10,000 findings and as many decisions. What one look is to
tell is gathered and written as a page, in this process. The store is a local folder; where it is Azure Blob Storage,
two rounds of parallel requests come on top.
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bench.figures import told
from shared_code.compliance import Compliance, Count, Row, Rows
from shared_code.dashboard import overview
from shared_code.eligibility import Decided, Decision
from shared_code.history import History, HistoryEntry
from shared_code.model import Reading, Verdict
from shared_code.outputs import COMPLIANCE, DECISIONS, FINDINGS, REPORT, UPCOMING
from shared_code.reports.dashboard import overview_page
from shared_code.run_records import RunRecords, folder
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy, run_id
from shared_code.settings import Configuration, configure
from shared_code.stop import Stop
from shared_code.store import Store, open_store
from shared_code.tag_rules import RuleMode
from shared_code.upcoming import upcoming

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
JOBS = ("cleanup", "list-resource-groups", "tag-audit", "watchdog")
RUNS, FINDINGS_OF_LAST, SUBSCRIPTIONS = 1000, 10_000, 200
CONFIG = "\n".join(f'[jobs.{job}]\nschedule = "0 0 {hour} * * *"' for hour, job in enumerate(JOBS)).encode()
LOOKS = 40


def subscription(number: int) -> str:
    """Return the id of a subscription."""
    return f"da000000-0000-4000-8000-{number:012}"


def fill(store: Store) -> None:
    """Put the runs there, and what the last ones have left."""
    records = RunRecords(store)
    verdicts = tuple(
        Verdict(subscription_id=subscription(number), subscription_name=f"sub-{number}", reading=Reading.COMPLETE)
        for number in range(SUBSCRIPTIONS)
    )
    outputs = {"tag-audit": (FINDINGS, COMPLIANCE, REPORT), "cleanup": (FINDINGS, DECISIONS, UPCOMING, REPORT)}
    for number in range(RUNS):
        job, at = JOBS[number % 4], NOW - timedelta(hours=RUNS - number)
        run = Run(
            id=run_id(job, at, occurrence=True),
            job=job,
            mode=Mode.PLAN,
            trigger=TriggeredBy.TIMER,
            requested=at,
            started=at,
            ended=at + timedelta(minutes=2),
            status=RunStatus.SUCCEEDED,
            subscriptions=verdicts if job != "watchdog" else (),
            counts={"planned": number, "waiting": 9, "resources": 100_000, "resource_groups": 400, "findings": 10_000},
            outputs=outputs.get(job, (REPORT,)),
        )
        records.create(run)
        store.delete(f"open/{run.id}")
        if job != "watchdog":
            entry = HistoryEntry(run=run.id, taken=at, status=run.status, percent=90 + number % 10, counts=run.counts)
            History(store, job).append(entry)
        if number >= RUNS - 4:
            leave(store, run)


def leave(store: Store, run: Run) -> None:
    """Write what a run has left."""
    if run.job == "cleanup":
        decisions = [decision(number) for number in range(FINDINGS_OF_LAST)]
        store.write(f"{folder(run.id)}/{DECISIONS}", msgspec.json.Encoder().encode_lines(decisions))
        store.write(f"{folder(run.id)}/{UPCOMING}", msgspec.json.encode(upcoming(decisions)))
    if run.job == "tag-audit":
        rows = {subscription(number): Row(f"sub-{number}", Count(50, 5)) for number in range(SUBSCRIPTIONS)}
        owners = Rows({f"team-{number}": Row(f"team-{number}", Count(9, 3)) for number in range(100)})
        compliance = Compliance(subjects=9, rules={"owner": Count(10_000, 1000)}, subscriptions=rows, owners=owners)
        store.write(f"{folder(run.id)}/{COMPLIANCE}", msgspec.json.encode(compliance))
        lines = [{"rule": "owner", "resource_id": f"/subscriptions/{n}"} for n in range(FINDINGS_OF_LAST)]
        store.write(f"{folder(run.id)}/{FINDINGS}", msgspec.json.Encoder().encode_lines(lines))


def decision(number: int) -> Decision:
    """Return one of the decisions: a third is planned, the others wait."""
    own = subscription(number % SUBSCRIPTIONS)
    return Decision(
        rule="unattached-disk",
        resource_id=f"/subscriptions/{own}/resourceGroups/rg/providers/Microsoft.Compute/disks/disk-{number}",
        subscription_id=own,
        type="Microsoft.Compute/disks",
        decision=Decided.PLANNED if number % 3 == 0 else Decided.WAITING,
        reasons=("no machine uses it",),
        due=NOW + timedelta(hours=number),
        first_seen=NOW - timedelta(days=9),
        last_seen=NOW,
        times_seen=9,
        created=NOW - timedelta(days=99),
        mode=RuleMode.APPROVE,
    )


def look(configuration: Configuration, store: Store) -> float:
    """Return the milliseconds of one look."""
    begun = time.perf_counter()
    page = b"".join(overview_page(overview(configuration, store, Stop(store, lambda: NOW), NOW)))
    took = (time.perf_counter() - begun) * 1000
    if b"disk-0<" not in page and b"disk-0</bdi>" not in page:
        raise SystemExit("the page does not show what is planned")
    return took


def main() -> int:
    """Measure, and print the figure with its aim."""
    with tempfile.TemporaryDirectory() as place:
        store, configuration = open_store(Path(place).as_uri()), configure(CONFIG, "steward.toml", {})
        fill(store)
        first = look(configuration, store)
        looks = [look(configuration, store) for _ in range(LOOKS)]
    return int(
        not told(
            "a look at the dashboard: ms", statistics.median(looks), 50, least=False, first=first, worst=max(looks)
        )
    )


if __name__ == "__main__":
    sys.exit(main())
