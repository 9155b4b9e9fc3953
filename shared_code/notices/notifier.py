"""The notifier: tells who has to know, when a run has ended, and remembers whom it told.

It is called when the record already says that the run has ended and its lock is released, so nothing it does or fails
to do can touch the run. It never raises. What could not be told is tried again with the next run, since everything is
worked out anew from what is open and who knows of it, and only those know who were told.

**Crashes.** A process that dies between the end of the run and the telling has told nobody: the message of the run is
delivered again, or the next run tells. One that dies between sending and remembering tells it once more: better twice
than never. Two deliveries at the same time take turns by a lock, and the second finds `notices.ndjson`.
"""

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from shared_code.eligibility import Decision
from shared_code.errors import UNREADABLE, Damaged, Fenced, StewardError, Unknown
from shared_code.foreign_text import one_line
from shared_code.locks import Locks
from shared_code.missed_runs import RULE as MISSED
from shared_code.model import Finding
from shared_code.notices import texts
from shared_code.notices.edition import Edition
from shared_code.notices.incidents import Incident, Incidents
from shared_code.notices.memory import Memory
from shared_code.notices.notice import Letter, Notice, Text, Told
from shared_code.notices.settings import NoticeKind
from shared_code.notices.things import Place, Thing, by_people, of_audit, of_cleanup
from shared_code.outcomes import Outcome, Result
from shared_code.outputs import DECISIONS, FINDINGS, NOTICES, OUTCOMES
from shared_code.plan import PlanItem, Plans
from shared_code.ports import Clock, Estate, Sender
from shared_code.resource_ids import key
from shared_code.run_records import RunRecords, folder
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy, job_of
from shared_code.settings import Cleanup, Configuration, TagAudit
from shared_code.store import Store

log = logging.getLogger(__name__)

LOCK = "notices"
"""The lock by which one process tells at a time."""
WAITS = 180
"""Seconds to wait for it: longer than anybody needs to tell."""
READS = timedelta(seconds=45)
"""How long owners are read; the lock has to last for that and for sending."""


@dataclass(frozen=True)
class Notifier:
    """Tells about runs; to be called with the id of each that may have ended.

    `sleep` is for waiting until another process has told.
    """

    configuration: Configuration
    records: RunRecords
    locks: Locks
    store: Store
    estate: Estate
    sender: Sender
    clock: Clock
    sleep: Callable[[float], None]

    def __call__(self, run_id: str) -> None:
        """Tell about a run if it has ended and was not told yet; who starts one in a terminal sees how it ends."""
        if not self.configuration.receivers:
            return
        try:
            run = self._run(run_id)
            if not run.status.ended or run.trigger is TriggeredBy.CLI or self._is_told(run) or self._is_old(run):
                return
            incidents = Incidents(self.store)
            # First of all: if this process dies, whoever tells next knows of it.
            incidents.note(run, self._missed(run))
            with self._turn(run) as token:
                if token and not self._is_told(run):
                    self._tell(run, incidents, token)
        except Unknown:
            return  # There is nothing to tell, and the worker has said so.
        except StewardError as error:
            log.error("run=%s nobody was told: %s", one_line(run_id, 80), one_line(str(error)))
        except Exception:
            log.exception("run=%s nobody was told", one_line(run_id, 80))

    def _run(self, run_id: str) -> Run:
        """Return the run; one whose record cannot be read has failed, as its message was given up by now."""
        try:
            return self.records.get(run_id).run
        except Damaged as error:
            now, job = self.clock(), job_of(run_id) or ""
            return Run(
                id=run_id,
                job=job,
                mode=Mode.PLAN,
                trigger=TriggeredBy.ADMIN,
                requested=now,
                status=RunStatus.FAILED,
                ended=now,
                error=str(error),
            )

    def _is_told(self, run: Run) -> bool:
        return self.store.read(f"{folder(run.id)}/{NOTICES}") is not None

    def _is_old(self, run: Run) -> bool:
        """Tell whether the job has looked again since, so that what this run says may be over; a late delivery."""
        for each in self.records.newest_readable(run.job) if run.task == run.job else ():
            if each.id <= run.id:
                break
            if each.status.ended and each.task == each.job:
                return True
        return False

    @contextmanager
    def _turn(self, run: Run) -> Iterator[str | None]:
        """Wait for the turn to tell, and give the token of the lock; None if it does not come."""
        token = secrets.token_hex(8)
        mine = self.locks.acquire(LOCK, run.id, token).token == token
        for _ in range(WAITS):
            if mine:
                break
            self.sleep(1.0)
            mine = self.locks.acquire(LOCK, run.id, token).token == token
        if not mine:
            log.error("run=%s somebody else is telling for too long; the next run tells of it", run.id)
        try:
            yield token if mine else None
        finally:
            self.locks.release(LOCK, token)
            self.locks.leave(LOCK, run.id)

    def _tell(self, run: Run, incidents: Incidents, token: str) -> None:
        at_once = list(self._of_incidents(incidents.note(run, self._missed(run))))
        edition, problems = self._edition(run)
        notices = [*(notice for notice, _ in at_once), *(edition.notices if edition else [])]
        problems += edition.problems if edition else []
        if not notices and not problems:
            return
        if not self.locks.renew(LOCK, token):
            raise Fenced("it took so long to find out what to tell that somebody else has begun to")
        told = self._send(notices)
        self._report(run, [*told, *problems])
        sent = {id(notice) for notice, each in zip(notices, told, strict=True) if each.ok}
        incidents.tell([(each, notice.receiver) for notice, those in at_once if id(notice) in sent for each in those])
        if edition is not None and edition.notices:
            edition.remember(lambda notice: id(notice) in sent)

    def _of_incidents(self, incidents: Sequence[Incident]) -> Iterator[tuple[Notice, list[Incident]]]:
        words: dict[NoticeKind, Callable[[Sequence[Incident]], Text]] = {
            NoticeKind.FAILURE: texts.failures,
            NoticeKind.MISSED_RUN: texts.missed_runs,
        }
        for receiver, url in self.configuration.receivers.operators.items():
            for kind, text in words.items():
                owed = [each for each in incidents if each.kind is kind and each.owes(receiver)]
                if owed and kind in self.configuration.notices.on:
                    letter = Letter(url=url, text=text(owed))
                    yield Notice(kind=kind, receiver=receiver, things=len(owed), letter=letter), owed

    def _edition(self, run: Run) -> tuple[Edition | None, list[Told]]:
        """Work out summaries and digests; whatever is wrong with these, failures are told."""
        source = DECISIONS if run.job == "cleanup" else FINDINGS
        if run.task != run.job or run.job not in ("tag-audit", "cleanup") or source not in run.outputs:
            return None, []
        settings = self.configuration.jobs[run.job]
        until = self.clock() + READS
        keep = settings.protected_tags[:1] if isinstance(settings, Cleanup) else ()
        try:
            items = Plans(self.store).get(run.plan).items if run.plan else ()
            edition = Edition(
                run=run,
                settings=self.configuration.notices,
                receivers=self.configuration.receivers,
                things=lambda: self._things(run, items),
                memory=Memory(self.store, run.job),
            )
            edition.compose(items, self.estate, lambda: self.clock() > until, next(iter(keep), None))
        except (Damaged, Unknown) as error:
            return None, [Told(kind=NoticeKind.SUMMARY, receiver="all", things=0, ok=False, error=one_line(str(error)))]
        return edition, []

    def _things(self, run: Run, items: Iterable[PlanItem]) -> Iterator[Thing]:
        outcomes: dict[Place, Result] = {}
        if OUTCOMES in run.outputs:
            outcomes = {
                (key(each.resource_id), each.rule): each.outcome for each in self._lines(run, OUTCOMES, Outcome)
            }
        settings = self.configuration.jobs[run.job]
        if run.job == "cleanup":
            things = of_cleanup(self._lines(run, DECISIONS, Decision), outcomes)
        else:
            modes = {rule.name: rule.mode for rule in settings.rules} if isinstance(settings, TagAudit) else {}
            planned = [(key(each.resource_id), each.rule) for each in items]
            things = of_audit(self._lines(run, FINDINGS, Finding), modes, planned, outcomes)
        armed: frozenset[str] = frozenset()
        if isinstance(settings, Cleanup | TagAudit) and settings.mode is Mode.APPLY:
            armed = frozenset(each.lower() for each in settings.armed_subscriptions)
        return by_people(things, armed)

    def _missed(self, run: Run) -> list[Finding] | None:
        """Return what a watchdog has found to be missed; None of any other run."""
        if run.job != "watchdog" or FINDINGS not in run.outputs:
            return None
        return [each for each in self._lines(run, FINDINGS, Finding) if each.rule == MISSED]

    def _lines[Line](self, run: Run, name: str, kind: type[Line]) -> Iterator[Line]:
        decode = msgspec.json.Decoder(kind).decode
        place = f"{folder(run.id)}/{name}"
        for line in self.store.lines(place):
            try:
                yield decode(line)
            except UNREADABLE as error:
                raise Damaged(f"'{place}' cannot be read: {error}.") from error

    def _send(self, notices: Sequence[Notice]) -> list[Told]:
        if self.configuration.notices.dry_run:
            return [
                Told(kind=each.kind, receiver=each.receiver, things=each.things, ok=False, would_send=each.letter.text)
                for each in notices
            ]
        errors = self.sender.send([each.letter for each in notices])
        return [
            Told(kind=each.kind, receiver=each.receiver, things=each.things, ok=error is None, error=error)
            for each, error in zip(notices, errors, strict=True)
        ]

    def _report(self, run: Run, told: Sequence[Told]) -> None:
        """Leave a line for each receiver; in the log one that says how many were told, or who was not."""
        encode = msgspec.json.Encoder().encode
        self.store.write(f"{folder(run.id)}/{NOTICES}", b"".join(encode(each) + b"\n" for each in told))
        failed = [each for each in told if each.error]
        if failed:
            first = f"{failed[0].kind} to {failed[0].receiver}: {failed[0].error}"
            more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
            text = "run=%s job=%s not told, and tried again with the next run: %s%s; see %s"
            log.error(text, run.id, run.job, first, more, NOTICES)
        if number := sum(each.ok for each in told):
            log.info("run=%s job=%s told %d receivers", run.id, run.job, number)
