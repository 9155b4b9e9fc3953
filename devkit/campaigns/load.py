"""Load: ten thousand runs, a hundred wishes at once, a million findings, a thousand subscriptions in trouble.

Each place is the real app in processes of its own, on a simulated Azure over TLS. What has to hold is judged, what it
took is a figure.
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from devkit.campaigns.app import quick_folder
from devkit.campaigns.session import Session
from devkit.local_host.process import HostProcess, running
from devkit.simulator.estates.generated import Size, generate
from shared_code.model import Reading
from shared_code.reports.page import SHOWN
from shared_code.run_records import RunRecords, folder
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy, run_id
from shared_code.store import open_store

ROOT = Path(__file__).resolve().parent.parent.parent
JOB = "list-resource-groups"
RUNS = 10_000
WISHES = 100
FINDINGS = 1_000_000
SUBSCRIPTIONS = 1_000
TROUBLES = ("forbidden", "cut", "html", "not-json", "reset", "throttled")
"""Each meets every twelfth subscription at its list of resource groups; half of them meet none."""
PASSING = ("reset", "throttled")
"""What comes once alone, so that it has to be tried again."""
AUDIT = """
[jobs.tag-audit]
[[jobs.tag-audit.rules]]
name = "nobody"
tag = "nobody-has-this"
required = true
"""
_ENDED = 300.0


class Command(NamedTuple):
    """What a process came to: exit code, document, seconds, and the most memory it had, in MB."""

    code: int
    document: dict[str, Any]
    seconds: float
    memory: float


def perform(session: Session) -> None:
    """Perform each place, one after the other."""
    for name, place in PLACES.items():
        if session.goes_on and session.only in ("", name):
            place(session)
            session.figures["places"] += 1


def many_runs(session: Session, number: int = RUNS) -> None:
    """The API, the dashboard and the watchdog, with 10,000 runs in the store."""
    with quick_folder() as memory, azure("--estate", "demo") as environment:
        store = memory / "store"
        fill(store, number)
        with app(memory, environment) as host:
            for path in ("runs", "runs?limit=200", "jobs", "plans", "dashboard/content"):
                begun = time.perf_counter()
                status, _ = asked(host, "GET", path)
                _took(session, f"{path.partition('?')[0].replace('/', '_')}_ms", begun)
                if status != 200:
                    session.violated(f"GET {path} with {number:,} runs is {status}", "runs")
            begun = time.perf_counter()
            run = until_ended(host, asked(host, "POST", "jobs/watchdog/runs")[1]["id"])
            _took(session, "watchdog_ms", begun)
            if run["status"] != "succeeded":
                session.violated(f"the watchdog is {run['status']}: {run['error']}", "runs")
            session.figures["runs_host_mb"] = _most_memory(host)


def many_wishes(session: Session, number: int = WISHES) -> None:
    """A hundred POSTs at once with one Idempotency-Key are one run; with a hundred of them they are a hundred."""
    with quick_folder() as memory, azure("--estate", "demo") as environment, app(memory, environment) as host:
        for same in (True, False):
            before = {each["id"] for each in _all_runs(host)}

            def wish(own: int, same: bool = same) -> tuple[int, Any]:
                key = f"load-{session.seed}-{'one' if same else own}"
                return asked(host, "POST", f"jobs/{JOB}/runs", {"Idempotency-Key": key})

            begun = time.perf_counter()
            with ThreadPoolExecutor(number) as pool:
                answers = list(pool.map(wish, range(number)))
            _took(session, f"{'same' if same else 'different'}_posts_ms", begun)
            refused = Counter(status for status, _ in answers if status != 202)
            if refused:
                session.violated(f"{number} wishes at once: {dict(refused)}", "wishes")
            named = {document["id"] for status, document in answers if status == 202}
            there = {each["id"] for each in _all_runs(host)} - before
            expected = 1 if same else number
            if len(named) != expected or named != there:
                session.violated(f"{number} wishes made {len(there)} runs, and {len(named)} were told", "wishes")
            for run in sorted(named):
                if (ended := until_ended(host, run))["status"] != "succeeded":
                    session.violated(f"run {run} is {ended['status']}: {ended['error']}", "wishes")
                session.progress(session.figures["runs_ended"], "runs")
                session.figures["runs_ended"] += 1
        session.figures["wishes_host_mb"] = _most_memory(host)


def many_findings(session: Session, number: int = FINDINGS) -> None:
    """A million findings in one report: every one is in the files, and the page shows the first and names the file."""
    size = ("--subscriptions", "50", "--groups", "2000", "--resources", str(number))
    with quick_folder() as memory, azure("--estate", "generated", *size) as environment:
        config = memory / "steward.toml"
        config.write_text(AUDIT)
        given = {"STEWARD_STORE": (memory / "store").as_uri(), "STEWARD_CONFIG": str(config)}
        done = steward(environment | given, "run", "tag-audit")
        session.figures["findings_seconds"] = round(done.seconds)
        session.figures["findings_mb"] = round(done.memory)
        found = done.document.get("counts", {}).get("findings", 0)
        session.figures["findings"] = found
        if done.code != 0 or found < number * 0.9:  # some types cannot carry tags, and are left alone
            session.violated(f"exit code {done.code}, {found:,} findings", "findings")
            return
        left = memory / "store" / folder(done.document["id"])
        with (left / "findings.ndjson").open("rb") as lines:
            written = sum(1 for _ in lines)
        with (left / "findings.csv").open(encoding="utf-8-sig", newline="") as table:
            rows = sum(1 for _ in csv.reader(table)) - 1
        page = (left / "report.html").read_text("utf-8")
        if not written == rows == found:
            session.violated(f"{written:,} lines and {rows:,} rows of {found:,} findings", "findings")
        if f"The first {SHOWN:,} of {found:,} are shown" not in page or "findings.csv" not in page:
            session.violated("the page does not say where the others are", "findings")


def many_subscriptions(session: Session, number: int = SUBSCRIPTIONS) -> None:
    """A thousand subscriptions, half of them in trouble: each is told as it is, and what was read is all there."""
    size = Size(subscriptions=number, groups=number * 5, resources=number * 20, seed=session.seed)
    numbers = [text for name, each in msgspec.structs.asdict(size).items() for text in (f"--{name}", str(each))]
    troubles = _troubles(size)
    with quick_folder() as memory:
        faults = memory / "faults.json"
        faults.write_text(json.dumps(list(_faults(troubles))))
        with azure("--estate", "generated", *numbers, "--faults", str(faults)) as environment:
            given = {"STEWARD_STORE": (memory / "store").as_uri()}
            done = steward(environment | given, "run", JOB)
        session.figures["subscriptions_seconds"] = round(done.seconds)
        session.figures["subscriptions_mb"] = round(done.memory)
        verdicts = {each["subscription_id"]: each for each in done.document.get("subscriptions", ())}
        if done.code != 3 or len(verdicts) != number:
            session.violated(f"exit code {done.code} and {len(verdicts):,} verdicts", "subscriptions")
        read = Counter(each["reading"] for each in verdicts.values())
        session.figures["subscriptions_read"] = read[Reading.COMPLETE]
        for each in verdicts.values():
            if each["reading"] != Reading.COMPLETE and not each["reason"]:
                session.violated(f"{each['subscription_id']} is {each['reading']} without a reason", "subscriptions")
        for name, each in verdicts.items():
            kind = troubles[name]
            expected = Reading.COMPLETE if kind in ("", *PASSING) else Reading.INCOMPLETE
            if each["reading"] != expected:
                session.violated(f"{name} met {kind or 'nothing'} and is {each['reading']}", "subscriptions")


@contextmanager
def azure(*size: str) -> Iterator[dict[str, str]]:
    """Serve an estate from a process of its own; gives the app settings that point there."""
    with quick_folder() as memory:
        file = memory / "environment.json"
        command = [sys.executable, "-m", "devkit.simulator", *size, "--environment", str(file)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as simulator:
            try:
                while not file.exists():
                    if simulator.poll() is not None:
                        raise RuntimeError(f"the simulator ended with exit code {simulator.returncode}")
                    time.sleep(0.05)
                yield json.loads(file.read_text())
            finally:
                simulator.terminate()


@contextmanager
def app(memory: Path, environment: Mapping[str, str]) -> Iterator[HostProcess]:
    """Run the app in the local host, with a store in `memory`."""
    given = {**environment, "STEWARD_STORE": (memory / "store").as_uri()}
    with running(ROOT, environment=given, arguments=("--no-timers", "--no-sweep")) as host:
        yield host


def asked(host: HostProcess, method: str, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    """Call the API; gives status and document."""
    reply = host.call(method, f"/api/{path}", headers=headers, timeout=60.0)
    return reply.status, reply.json() if "json" in reply.headers.get("content-type", "") else None


def until_ended(host: HostProcess, run: str) -> dict[str, Any]:
    """Wait for the end of a run, and give its record."""
    deadline = time.monotonic() + _ENDED
    while True:
        status, record = asked(host, "GET", f"runs/{run}")
        if status == 200 and RunStatus(record["status"]).ended:
            return dict(record)
        if time.monotonic() > deadline:
            return {"status": "not ended", "error": f"within {_ENDED:g} s", "id": run}
        time.sleep(0.05)


def steward(environment: Mapping[str, str], *arguments: str) -> Command:
    """Run the `steward` command to its end."""
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "shared_code", *arguments, "--json"],
        cwd=ROOT,
        env={**known, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        printed = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    return Command(process.returncode, json.loads(printed or b"{}"), seconds, usage.ru_maxrss / 1024)


def fill(store: Path, number: int) -> None:
    """Put so many runs there that have ended, one every ten minutes until now."""
    records = RunRecords(open_store(store.as_uri()))
    at = datetime.now(UTC).replace(microsecond=0)
    for place in range(number):
        moment = at - timedelta(minutes=10 * (number - place))
        run = Run(
            id=run_id(JOB, moment, occurrence=True),
            job=JOB,
            mode=Mode.PLAN,
            trigger=TriggeredBy.TIMER,
            requested=moment,
            started=moment,
            ended=moment + timedelta(minutes=1),
            status=RunStatus.SUCCEEDED,
        )
        # As `RunRecords` writes it, without the mark of a run that has not ended.
        file = store / folder(run.id) / "run.json"
        file.parent.mkdir(parents=True)
        file.write_bytes(msgspec.json.encode(run))
    if number and records.get(run.id).run != run:
        raise RuntimeError("what was written is not what is read")


def _all_runs(host: HostProcess) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    path: str | None = "runs?limit=200"
    while path:
        _, document = asked(host, "GET", path)
        found += document["runs"]
        path = document["next"].partition("/api/")[2] if document["next"] else None
    return found


def _took(session: Session, name: str, begun: float) -> None:
    session.figures[name] = round((time.perf_counter() - begun) * 1000)


def _most_memory(host: HostProcess) -> int:
    """Return the most memory that the process of the app has had, in MB; 0 where the system does not tell."""
    status = Path(f"/proc/{host.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


def _faults(troubles: Mapping[str, str]) -> Iterator[dict[str, object]]:
    for subscription, kind in troubles.items():
        if kind:
            times = 1 if kind in PASSING else None
            yield {"route": "resource-groups", "subscription": subscription, "kind": kind, "times": times}


def _troubles(size: Size) -> dict[str, str]:
    """Return what each subscription of an estate meets, nothing or one of TROUBLES."""
    ids = [each.id for each in generate(size).subscriptions]
    return {own: TROUBLES[number // 2 % len(TROUBLES)] if number % 2 else "" for number, own in enumerate(ids)}


PLACES: Mapping[str, Callable[[Session], None]] = {
    "runs": many_runs,
    "wishes": many_wishes,
    "findings": many_findings,
    "subscriptions": many_subscriptions,
}
