"""cleanup: finds what nobody needs any more, watches it, plans what may be deleted, and says why all else is kept."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta

import msgspec

from shared_code.eligibility import Decided, Decision
from shared_code.errors import SettingsError
from shared_code.findings import FindingSorter
from shared_code.foreign_text import one_line
from shared_code.history import History, HistoryEntry
from shared_code.jobs.apply_plan import apply_automatic
from shared_code.jobs.removing import policy_of, rules_of
from shared_code.ledger import Entry, Head, Ledgers, State, compare
from shared_code.model import UNREAD, Reading, Subscription, Verdict
from shared_code.ndjson import pieces
from shared_code.outcomes import Result
from shared_code.outputs import DECISIONS, DECISIONS_CSV, FINDINGS, FOLLOWED, REPORT, UPCOMING
from shared_code.parts import Parts, PartWriter
from shared_code.pending_deletions import FollowedUp, PendingDeletions, follow_up
from shared_code.plan import Plan, Plans, choose, make_plan
from shared_code.proposals import Proposals
from shared_code.reports.cleanup import CleanupReport, cleanup_csv, cleanup_page
from shared_code.resource_ids import group_name, key
from shared_code.run_records import folder
from shared_code.runs import Mode, RunStatus
from shared_code.settings import Cleanup
from shared_code.snapshots import Snapshots
from shared_code.snoozes import Snoozes
from shared_code.subscription_cleanup import Cleaner, SubscriptionCleanup
from shared_code.survey import Survey, judged, reading_counts, side_by_side, survey
from shared_code.upcoming import upcoming
from shared_code.work import Summary, Work

log = logging.getLogger(__name__)

NAME = "cleanup"
APART = timedelta(hours=12)
"""How long after one sighting the next counts: two runs in a row see the same moment twice."""

_FINDINGS, _LEDGER, _DECISIONS, _ITEMS, _SUMMARY = "findings", "ledger", "decisions", "items", "summary"


class PartSummary(msgspec.Struct, frozen=True):
    """What one subscription adds: what became of its findings, its decisions, what was read by type."""

    subscription: str
    states: dict[State, int]
    decisions: dict[Decided, int]
    read: dict[str, int]


def cleanup(work: Work) -> Summary:
    """Read, find, observe, decide, plan, and write the outputs; with mode apply, apply automatic rules.

    Raises:
        SettingsError: no rule is on.
        AzureError: the list of subscriptions could not be read.
        EmptyScope: nothing is in scope.
        Damaged: a ledger, the history or a pending deletion cannot be understood.
        StoreError: the store cannot be read or written.
        Interrupted, Fenced: from the checkpoint.
    """
    followed, damaged = _follow_up(work)
    settings = work.configuration.jobs[NAME]
    if not isinstance(settings, Cleanup) or not settings.rules.on:
        problem = "No rule is on; name some, such as [jobs.cleanup.rules.expired], in steward.toml."
        if not followed:
            raise SettingsError([problem])
        nothing = Summary(status=RunStatus.FAILED, error=problem, counts=_counted(followed), outputs=(FOLLOWED,))
        return _with_followed(nothing, followed, damaged)
    taken = work.run.started or work.clock()
    rules, ledgers = rules_of(settings), Ledgers(work.store, NAME)
    snoozes = Snoozes(work.store).all()
    deleting = frozenset(key(each.pending.resource_id) for each in followed if each.outcome is Result.DELETING)
    cleaners: list[Cleaner] = []

    def prepare(subscriptions: tuple[Subscription, ...]) -> None:
        cleaners.append(
            Cleaner(
                rules=rules,
                policy=policy_of(work.configuration, settings),
                scope=work.configuration.scope,
                remover=work.remover,
                activity=work.activity,
                proposals=Proposals(work.inventory, (rule for rule, _ in rules.values()), subscriptions),
                deleting=deleting,
                snoozes=snoozes,
                now=taken,
            )
        )

    def read(subscription: Subscription, parts: Parts) -> None:
        work.checkpoint()
        spill = f"{folder(work.run.id)}/spill/{work.run.attempt}/{subscription.id.casefold()}"
        with FindingSorter(work.store, spill) as sorter, parts.writer(subscription.id) as part:
            own = SubscriptionCleanup(cleaners[0], subscription, sorter.add)
            found = own.run(work.estate, work.checkpoint)
            entries = ledgers.entries(subscription.id.casefold())
            _decide(part, own, sorter, entries, _unseen(work, own, found, rules.keys()))
            work.checkpoint()
            part.end(found)

    found = survey(work, read, prepare=prepare)
    states: Counter[State] = Counter()
    decisions: Counter[Decided] = Counter()
    counted: dict[str, dict[str, int]] = {}
    for line in found.lines(_SUMMARY):
        each = msgspec.json.decode(line, type=PartSummary)
        states.update(each.states)
        decisions.update(each.decisions)
        counted[each.subscription] = each.read
    resources = sum(each.resources or 0 for each in found.verdicts)
    status, error = judged(found.verdicts, work.configuration.scope, resources, sum(map(_total, counted.values())))
    if decisions[Decided.UNREAD] and status is RunStatus.SUCCEEDED:
        number = decisions[Decided.UNREAD]
        what = (
            "thing could not be looked at, and is kept"
            if number == 1
            else "things could not be looked at, and are kept"
        )
        status, error = RunStatus.PARTIAL, f"{number:,} {what}."
    plan, more = _plan(work, found, counted)
    summary = Summary(
        status=status,
        error=error,
        counts={
            **reading_counts(found.verdicts),
            "looked_at": sum(decisions.values()),
            "new_findings": states[State.NEW],
            "healed": states[State.FIXED],
            **{f"{decided}": decisions[decided] for decided in Decided},
            "planned_changes": len(plan.items) if plan else 0,
            **({"not_planned": more} if more else {}),
            **_counted(followed),
        },
        verdicts=tuple(found.verdicts),
        plan=plan.id if plan else None,
        outputs=(FINDINGS, DECISIONS, DECISIONS_CSV, UPCOMING, REPORT, *([FOLLOWED] if followed else [])),
    )
    _write_lines(work, found)
    _keep(work, found, states, summary)
    if work.run.mode is Mode.APPLY and plan is not None and status is not RunStatus.FAILED:
        summary = apply_automatic(work, plan, summary)
    summary = _with_followed(summary, followed, damaged)
    _write_page(work, found, summary, followed)
    return summary


def _total(counts: dict[str, int]) -> int:
    return sum(counts.values())


def _counted(followed: list[FollowedUp]) -> dict[str, int]:
    return {f"followed_{result}": number for result, number in Counter(each.outcome for each in followed).items()}


def _follow_up(work: Work) -> tuple[list[FollowedUp], list[str]]:
    """Look what became of deletions that earlier runs began, and say each end once; and of which nobody can tell."""
    own = f"{folder(work.run.id)}/{FOLLOWED}"
    pending = PendingDeletions(work.store)
    # An earlier attempt at this run may have seen some ends, and forgotten these deletions then.
    decode = msgspec.json.Decoder(FollowedUp).decode
    followed = (
        [decode(line) for line in work.store.lines(own)] if own in set(work.store.keys(folder(work.run.id))) else []
    )
    ended = [each for each in followed if each.outcome is not Result.DELETING]
    known = {(each.pending.plan, each.pending.item) for each in ended}
    looked: list[FollowedUp] = []
    damaged: list[str] = []
    for each in pending.all():
        work.checkpoint()
        if isinstance(each, str):
            log.error("run=%s job=%s %s", work.run.id, NAME, one_line(str(each)))
            damaged.append(each)
            continue
        if each.run == work.run.id:
            continue  # An earlier attempt at this run began it; the outcomes tell of it.
        if (each.plan, each.item) not in known:
            outcome, reason = follow_up(each, work.remover, work.clock())
            looked.append(FollowedUp(pending=each, outcome=outcome, reason=reason, at=work.clock()))
    found = [*ended, *looked]
    if found:
        work.write(FOLLOWED, (msgspec.json.encode(each) + b"\n" for each in found))
    for one in found:
        if one.outcome is not Result.DELETING:
            pending.remove(one.pending)
    return found, damaged


def _with_followed(summary: Summary, followed: list[FollowedUp], damaged: list[str]) -> Summary:
    """Say that a deletion which an earlier run began has failed after all, or that nobody can tell."""
    failed = [each for each in followed if each.outcome is Result.FAILED]
    if damaged and not failed:
        status = RunStatus.PARTIAL if summary.status is RunStatus.SUCCEEDED else summary.status
        return msgspec.structs.replace(summary, status=status, error=f"{summary.error or ''} {damaged[0]}".strip())
    if not failed:
        return summary
    more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    first = f"{failed[0].pending.resource_id}: {failed[0].reason}{more}"
    error = f"{summary.error} " if summary.error else ""
    return msgspec.structs.replace(
        summary, status=RunStatus.FAILED, error=f"{error}A deletion of an earlier run has failed: {first}"
    )


def _unseen(work: Work, own: SubscriptionCleanup, found: Verdict, rules: Collection[str]) -> Callable[[Entry], State]:
    """Say what became of what is not found any more; only who has looked can tell that it healed."""

    def judge(entry: Entry) -> State:
        if entry.rule not in rules:
            return State.DROPPED
        name = group_name(entry.resource_id)
        if name is not None and not work.configuration.scope.includes_group(name):
            return State.DROPPED
        if found.reading is not Reading.COMPLETE or (key(entry.resource_id), entry.rule) in own.unlooked:
            return State.UNKNOWN
        return State.FIXED

    return judge


def _decide(
    part: PartWriter,
    own: SubscriptionCleanup,
    sorter: FindingSorter,
    entries: Iterator[Entry],
    unseen: Callable[[Entry], State],
) -> None:
    states: Counter[State] = Counter()
    decisions: Counter[Decided] = Counter()
    made: list[Decision] = list(own.kept)
    for each in compare(entries, sorter.sorted(), own.cleaner.now, unseen, apart=APART):
        states[each.state] += 1
        entry = each.entry
        if each.findings:
            entry, decision, item = own.decided(each.entry)
            made.append(decision)
            if item is not None:
                part.add(_ITEMS, item)
            for finding in each.findings:
                part.add(_FINDINGS, msgspec.structs.replace(finding, first_seen=entry.first_seen))
        if each.state.remains:
            part.add(_LEDGER, entry)
    for decision in sorted(made, key=lambda one: (key(one.resource_id), one.rule)):
        decisions[decision.decision] += 1
        part.add(_DECISIONS, decision)
    part.add(_SUMMARY, PartSummary(own.subscription.id.casefold(), dict(states), dict(decisions), dict(own.read)))


def _plan(work: Work, found: Survey, counted: dict[str, dict[str, int]]) -> tuple[Plan | None, int]:
    """Write the plan if there is anything to do; return the one that stands, and how many items it has no room for."""
    items, more = choose(found.lines(_ITEMS))
    if not items:
        return None, more
    taken, rules = work.run.started or work.clock(), work.configuration.digest_of(NAME)
    return Plans(work.store).save(make_plan(work.run, items, counted, taken, rules=rules)), more


def _decisions(work: Work) -> Iterator[Decision]:
    return map(msgspec.json.Decoder(Decision).decode, work.store.lines(f"{folder(work.run.id)}/{DECISIONS}"))


def _write_lines(work: Work, found: Survey) -> None:
    """Write what scripts and spreadsheets read."""
    work.write(FINDINGS, pieces(found.lines(_FINDINGS)))
    work.write(DECISIONS, pieces(found.lines(_DECISIONS)))
    work.write(DECISIONS_CSV, cleanup_csv(_decisions(work)))
    work.write(UPCOMING, [msgspec.json.encode(upcoming(_decisions(work)))])


def _write_page(work: Work, found: Survey, summary: Summary, followed: list[FollowedUp]) -> None:
    """Write what people read: last of all, since it says what was deleted too."""
    report = CleanupReport(
        run=work.run,
        status=summary.status,
        ended=work.clock(),
        counts=summary.counts,
        verdicts=found.verdicts,
        decisions=_decisions(work),
        number=summary.counts["looked_at"],
        followed=followed,
        plan=summary.plan,
        error=summary.error,
    )
    work.keep(REPORT, cleanup_page(report))


def _keep(work: Work, found: Survey, states: Counter[State], summary: Summary) -> None:
    """Make what this run remembers the ledgers; only now, as it may yet be resumed."""
    taken = work.run.started or work.clock()
    ledgers, head = Ledgers(work.store, NAME), Head(work.run.id, taken)

    def keep(subscription: Subscription) -> None:
        work.checkpoint()
        ledgers.keep(subscription.id.casefold(), head, found.lines_of(subscription, _LEDGER))

    side_by_side(keep, found.read)
    if found.known is not None:
        entry = HistoryEntry(
            run=work.run.id,
            taken=taken,
            status=summary.status,
            percent=None,
            new=states[State.NEW],
            open=states[State.OPEN],
            fixed=states[State.FIXED],
            not_read=sum(each.reading in UNREAD for each in found.verdicts),
            counts=summary.counts,
        )
        History(work.store, NAME).append(entry)
        Snapshots(work.store, NAME).save_subscriptions(found.known)
