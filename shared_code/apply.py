"""Applies a plan: the only way from a decision to a write in Azure.

The engine knows plans, permission and order; what is done to one item is somebody else's (`retagging` for tags).
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import NamedTuple

from shared_code.acting import Act, Done
from shared_code.errors import Fenced, Refused, Stopped, StoreError
from shared_code.foreign_text import one_line
from shared_code.limits import excess
from shared_code.model import Tags
from shared_code.outcomes import Mark, Marked, Marks, Outcome, Result, as_lines, tally
from shared_code.outputs import OUTCOMES
from shared_code.permission import Terms
from shared_code.plan import Action, Plan, Plans, is_in
from shared_code.ports import Clock
from shared_code.resource_ids import key
from shared_code.run_records import folder
from shared_code.runs import Order, Progress, RunStatus
from shared_code.store import Store
from shared_code.tag_rules import RuleMode
from shared_code.times import text_of
from shared_code.work import Cancelled, OutOfTime

WRITERS = 64
"""Items acted upon at the same time."""
PER_SUBSCRIPTION = 16
"""Of these in one subscription: enough for its 10 writes a second at up to 500 ms a request, three for each write."""


@dataclass(frozen=True)
class Means:
    """What one attempt at applying works with; every callable may be called from several threads but the last two."""

    run: str
    store: Store
    clock: Clock
    sleep: Callable[[float], None]
    check_stop: Callable[[], None]
    """Raises Stopped where nothing may be written."""
    may_write: Callable[[], None]
    """Raises Fenced where too little of the run's lock remains."""
    checkpoint: Callable[[], None]
    """Raises Interrupted or Fenced where the run has to stop."""
    progress: Callable[[Progress], None]
    writers: int = WRITERS


class Applied(NamedTuple):
    """What became of the chosen items, in the order of the plan.

    `stopped` says why writing ended early. Where the run was cancelled, those that were not reached have no outcome.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...]
    chosen: int
    stopped: str | None = None
    cancelled: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many items ended how."""
        counts = tally(self.outcomes, self.plan)
        return counts | ({"not_reached": self.chosen - len(self.outcomes)} if self.cancelled else {})

    @property
    def verdict(self) -> tuple[RunStatus, str | None]:
        """How the run ended, and a sentence where it is not `succeeded`."""
        if self.cancelled:
            return (
                RunStatus.CANCELLED,
                f"Cancelled while it ran; {len(self.outcomes):,} of {self.chosen:,} were reached.",
            )
        failed = [each for each in self.outcomes if each.outcome is Result.FAILED]
        if failed:
            more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
            first = one_line(f"{failed[0].resource_id}: {failed[0].reason}", 1000)
            done = "deleted" if failed[0].action is Action.DELETE else "changed"
            return RunStatus.FAILED, f"Not {done} as planned: {first}{more}"
        if self.stopped:
            return RunStatus.REFUSED, self.stopped
        if unread := [each for each in self.outcomes if each.unread]:
            status = RunStatus.FAILED if len(unread) == len(self.outcomes) else RunStatus.PARTIAL
            first = one_line(f"{unread[0].resource_id}: {unread[0].reason}", 1000)
            return status, f"{len(unread):,} of {len(self.outcomes):,} could not be read, the first {first}"
        return RunStatus.SUCCEEDED, None


def apply(order: Order, terms: Terms, means: Means, act: Act) -> Applied:
    """Act on the chosen items of a plan, and leave `outcomes.ndjson` in the run's folder.

    A run that was interrupted goes on where it stopped: items with an outcome keep it, items that were begun are
    followed up, and no other run ever begins one of them again. A cancelled one ends with what it has done.

    Raises:
        Refused: nothing was written: expired, another digest, not armed, over a limit, applied before, unknown ids.
        Unknown, Damaged: there is no such plan, or it is not what was written.
        StoreError: the store cannot be read or written; the run may go on later.
        OutOfTime, Fenced: from the checkpoint, or before a write.
    """
    plan = Plans(means.store).get(order.plan)
    marks = Marks(means.store, plan.id)
    present = marks.all()
    mine = {number for number, marked in present.items() if marked.mark.run == means.run}
    chosen = sorted({*choose(plan, order, terms.armed), *mine})
    refusal = _refusal(plan, chosen, present, terms, means.clock()) or _all_taken(chosen, present, mine)
    if refusal is not None and not mine:
        raise Refused(refusal)
    if chosen and not mine:
        means.check_stop()
    return _Application(plan, chosen, means, act, marks, present, refusal).perform()


def check(order: Order, terms: Terms, store: Store, now: datetime) -> Plan:
    """Return the plan if it may be applied as things are now, so that whoever asks is told at once.

    Raises:
        Refused: `apply` would refuse it too.
        Unknown, Damaged: there is no such plan, or it is not what was written.
        StoreError: the store cannot be read.
    """
    plan = Plans(store).get(order.plan)
    chosen = choose(plan, order, terms.armed)
    present = Marks(store, plan.id).all()
    refusal = _refusal(plan, chosen, present, terms, now) or _all_taken(chosen, present, set())
    if refusal is not None:
        raise Refused(refusal)
    return plan


def choose(plan: Plan, order: Order, armed: Iterable[str]) -> list[int]:
    """Return the numbers of the items that an order means.

    Raises:
        Refused: the digest is another one, an id is not in the plan, or none is named.
    """
    if order.digest != plan.digest:
        raise Refused(
            f"Plan '{plan.id}' has another digest than '{one_line(order.digest, 80)}': what was approved is not what "
            "the plan says; look at it again."
        )
    numbers = list(range(len(plan.items)))
    if order.only is not None:
        if not order.only:
            raise Refused("No resource id is named, so nothing would be applied; name some, or leave 'only' out.")
        wanted = {key(each): each for each in order.only}
        known = {key(item.resource_id) for item in plan.items}
        if foreign := [each for form, each in wanted.items() if form not in known]:
            what = f" and {len(foreign) - 1} more are" if len(foreign) > 1 else " is"
            raise Refused(f"'{one_line(foreign[0], 200)}'{what} not in plan '{plan.id}'; name ids that are.")
        numbers = [number for number in numbers if key(plan.items[number].resource_id) in wanted]
    if order.automatic:
        allowed = {each.casefold() for each in armed}
        items = plan.items
        numbers = [
            number
            for number in numbers
            if items[number].mode is RuleMode.AUTOMATIC and items[number].subscription_id.casefold() in allowed
        ]
    return numbers


def _refusal(plan: Plan, chosen: Sequence[int], present: Iterable[int], terms: Terms, now: datetime) -> str | None:
    """Say why nothing of this may be written now; None if it may."""
    items = [plan.items[number] for number in chosen]
    if plan.rules and plan.rules != terms.rules:
        return (
            f"The rules or the scope in steward.toml are no longer those that plan '{plan.id}' was made by; let a new "
            "run make another."
        )
    if now >= plan.expires:
        return f"Plan '{plan.id}' expired at {text_of(plan.expires)}; let a new run make another."
    armed = {each.casefold() for each in terms.armed}
    for item in items:
        shown = one_line(item.subscription_id, 80)
        if item.subscription_id.casefold() not in armed:
            return (
                f"Subscription '{shown}' is not armed, so nothing of plan '{plan.id}' is applied; add its exact id to "
                f"jobs.{plan.job}.armed_subscriptions in steward.toml, or name only resources of armed subscriptions."
            )
        if not is_in(item.resource_id, item.subscription_id):
            return (
                f"'{one_line(item.resource_id, 200)}' is not certainly in subscription '{shown}', so nothing of plan "
                f"'{plan.id}' is applied; let a new run make another."
            )
    # What was applied of this plan before counts too: in small pieces it would be as much.
    whole = [plan.items[number] for number in sorted({*chosen, *present})]
    if chosen and (over := excess(whole, plan.read, terms.most, terms.share)):
        before = ", with what was begun of it before" if len(whole) > len(chosen) else ""
        return (
            f"Nothing of plan '{plan.id}' is applied: {over}{before}; name fewer resources, or raise the limit in "
            "steward.toml."
        )
    return None


def _all_taken(chosen: Sequence[int], present: dict[int, Marked], mine: set[int]) -> str | None:
    if chosen and not mine and all(number in present for number in chosen):
        run = present[chosen[0]].mark.run
        return f"All of this was begun by run {run} already; let a new run make another plan."
    return None


class _Application:
    """One attempt at applying."""

    def __init__(
        self,
        plan: Plan,
        chosen: Sequence[int],
        means: Means,
        act: Act,
        marks: Marks,
        present: dict[int, Marked],
        refusal: str | None,
    ) -> None:
        self.plan = plan
        self.means = means
        self.marks = marks
        self._act = act
        self._present = present
        self._refusal = refusal
        self._outcomes: dict[int, Outcome] = {}
        self._halted = threading.Event()
        self._stopped: str | None = None
        self._total = len(chosen)
        self._things = plan.things
        self._open = self._sorted_out(chosen)

    def perform(self) -> Applied:
        """Act on what is open, and record all outcomes."""
        cancelled = False
        try:
            self._act_on_all()
        except (Fenced, OutOfTime, StoreError):
            raise  # Somebody goes on with the run, and records it all.
        except (Cancelled, KeyboardInterrupt):
            cancelled = True  # Whoever asked to end it wants to know how far it came.
        except Exception:
            self._record()  # The run ends here; what it did must not be lost.
            raise
        return Applied(self.plan, self._record(), self._total, self._stopped, cancelled)

    def halted(self) -> bool:
        """Whether the application ends before all is done."""
        return self._halted.is_set()

    def may_write(self) -> None:
        """Raise what forbids a write now."""
        try:
            if self._refusal is not None:
                raise Stopped(self._refusal)
            self.means.check_stop()
        except Stopped as error:
            self._stopped = str(error)
            raise
        self.means.may_write()

    def _sorted_out(self, chosen: Sequence[int]) -> list[int]:
        """Return the items that are still to be acted upon, and note the outcomes of all others."""
        left: list[int] = []
        for number in chosen:
            marked = self._present.get(number)
            if marked is None:
                left.append(number)
            elif marked.mark.run != self.means.run:
                self._note(number, Done(Result.SKIPPED, _taken(marked.mark), None, None, 0))
            elif marked.mark.outcome is not None:
                self._outcomes[number] = marked.mark.outcome
            else:
                left.append(number)
        return left

    def _act_on_all(self) -> None:
        """Act stage by stage: what uses others has ended before these are touched."""
        self._tell()
        stages: dict[int, list[int]] = defaultdict(list)
        for number in self._open:
            stages[self.plan.items[number].stage].append(number)
        for stage in sorted(stages):
            self._act_on(stages[stage])

    def _act_on(self, numbers: list[int]) -> None:
        lanes = _lanes(self.plan, numbers)
        ended: SimpleQueue[Future[None]] = SimpleQueue()
        running = len(lanes)
        with ThreadPoolExecutor(self.means.writers, "write") as pool:
            try:
                for lane in lanes:
                    pool.submit(self._work_off, lane).add_done_callback(ended.put)
                while running:
                    with suppress(Empty):
                        ended.get(timeout=0.5).result()
                        running -= 1
                    self._tell()
                    self.means.checkpoint()
            except BaseException:
                self._halted.set()  # Each thread ends the item it is at.
                raise
            finally:
                _await(pool)
                self._tell()

    def _work_off(self, waiting: deque[list[int]]) -> None:
        while not self._halted.is_set():
            try:
                numbers = waiting.popleft()
            except IndexError:
                return
            for number in numbers:
                if self._halted.is_set():
                    return
                self._perform(number)

    def _perform(self, number: int) -> None:
        marked = self._present.get(number)
        hand = _Hand(self, number, marked)
        if marked is None:
            try:
                self.may_write()  # Where it is forbidden, reading is for nothing.
            except Refused as error:
                self._note(number, Done(Result.SKIPPED, str(error), None, None, 0))
                return
        done = self._act(self.plan.items[number], hand)
        outcome = self._outcome(number, done)
        if hand.marked is not None:
            outcome = self.marks.finish(number, hand.marked, outcome)
        self._outcomes[number] = outcome

    def _note(self, number: int, done: Done) -> None:
        self._outcomes[number] = self._outcome(number, done)

    def _outcome(self, number: int, done: Done) -> Outcome:
        item = self.plan.items[number]
        return Outcome(
            plan=self.plan.id,
            item=number,
            resource_id=item.resource_id,
            subscription_id=item.subscription_id,
            rule=item.rule,
            action=item.action,
            outcome=done.result,
            reason=done.reason,
            change=item.change,
            tombstone=done.tombstone,
            unread=done.unread,
            unsure=done.unsure,
            before=done.before,
            after=done.after,
            writes=done.writes,
            at=self.means.clock(),
        )

    def _record(self) -> tuple[Outcome, ...]:
        outcomes = tuple(self._outcomes[number] for number in sorted(self._outcomes))
        with self.means.store.writer(f"{folder(self.means.run)}/{OUTCOMES}") as sink:
            for line in as_lines(outcomes):
                sink.write(line)
        return outcomes

    def _tell(self) -> None:
        self.means.progress(Progress(len(self._outcomes), self._total, self._things))


class _Hand:
    """What acting on one item is given."""

    def __init__(self, application: _Application, number: int, marked: Marked | None) -> None:
        self.plan = application.plan.id
        self.number = number
        self.marked = marked
        self.begun_with = marked.mark.before if marked else None
        self.sleep = application.means.sleep
        self._application = application

    def halted(self) -> bool:
        return self._application.halted()

    def may_write(self) -> None:
        self._application.may_write()

    def begin(self, before: Tags) -> None:
        means = self._application.means
        mark = Mark(run=means.run, begun=means.clock(), before=before)
        marked = self._application.marks.begin(self.number, mark)
        if marked.mark.run != means.run:
            raise Refused(_taken(marked.mark))
        self.marked = marked


def _await(pool: ThreadPoolExecutor) -> None:
    """Wait until all threads have ended, however often somebody presses Ctrl-C meanwhile: they may be writing."""
    while True:
        try:
            pool.shutdown(wait=True, cancel_futures=True)
        except KeyboardInterrupt:
            continue
        return


def _lanes(plan: Plan, numbers: Iterable[int]) -> list[deque[list[int]]]:
    """Return what each worker takes its work from: all that share a subscription share one deque.

    The items of one resource are done one after the other by the same worker. Every subscription comes once before
    any comes a second time.
    """
    by_subscription: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number in numbers:
        item = plan.items[number]
        by_subscription[item.subscription_id.casefold()][key(item.resource_id)].append(number)
    queues = [deque(resources.values()) for resources in by_subscription.values()]
    return [queue for turn in range(PER_SUBSCRIPTION) for queue in queues if len(queue) > turn]


def _taken(mark: Mark) -> str:
    if mark.outcome is None:
        return f"run {mark.run} began it on {text_of(mark.begun)} and its end is not known; let a new run make a plan"
    return f"run {mark.run} applied it already, on {text_of(mark.begun)}: {mark.outcome.outcome}"
