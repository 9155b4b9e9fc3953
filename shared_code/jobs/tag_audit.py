"""tag-audit: the tags of everything in scope against the rules of steward.toml; plans the changes that rules allow."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache

import msgspec

from shared_code.activity import LONGEST_SPAN, Evidence, Suggestion
from shared_code.audits import TagRules
from shared_code.compliance import Compliance, whole
from shared_code.errors import SettingsError
from shared_code.exemptions import Exemptions
from shared_code.findings import FindingSorter, Placed
from shared_code.history import TREND, History, HistoryEntry
from shared_code.jobs.apply_plan import apply_automatic
from shared_code.ledger import Compared, Entry, Head, Ledgers, State, compare
from shared_code.model import UNREAD, Finding, Kind, Reading, Subscription, Verdict
from shared_code.ndjson import pieces
from shared_code.outcomes import Result
from shared_code.outputs import COMPLIANCE, FINDINGS, FINDINGS_CSV, REPORT
from shared_code.parts import Parts, PartWriter
from shared_code.plan import Plan, Plans, choose, make_plan
from shared_code.reports.tag_audit import TagAuditReport, tag_audit_csv, tag_audit_page
from shared_code.resource_ids import group_name, key
from shared_code.run_records import folder
from shared_code.runs import Mode, RunStatus
from shared_code.settings import TagAudit
from shared_code.snapshots import Snapshots
from shared_code.subscription_audit import SubscriptionAudit, TagAuditor
from shared_code.survey import Survey, judged, reading_counts, side_by_side, survey
from shared_code.untaggable import Untaggable
from shared_code.work import Summary, Work

NAME = "tag-audit"
AUDITORS = 7
"""Subscriptions audited at the same time: the work is the processor's more than Azure's, and each takes its memory."""

_FINDINGS, _LEDGER, _ITEMS, _SUMMARY = "findings", "ledger", "items", "summary"


class PartSummary(msgspec.Struct, frozen=True):
    """What one subscription adds to the whole: compliance, what became of its findings, what was audited by kind."""

    compliance: Compliance
    states: dict[State, int]
    read: dict[Kind, int]
    unknown: dict[str, str] = {}
    """What could not be found out, and why."""


def tag_audit(work: Work) -> Summary:
    """Read, judge, compare with the ledger, plan, and write the outputs.

    Raises:
        SettingsError: there is no rule.
        AzureError: the list of subscriptions could not be read.
        EmptyScope: nothing is in scope.
        Damaged: a ledger or the history cannot be understood.
        StoreError: the store cannot be read or written.
        Interrupted, Fenced: from the checkpoint.
    """
    settings = work.configuration.jobs[NAME]
    if not isinstance(settings, TagAudit) or not settings.rules:
        raise SettingsError(
            ["There is no rule to audit by; write some under [[jobs.tag-audit.rules]] in steward.toml."]
        )
    taken = work.run.started or work.clock()
    untaggable, ledgers = Untaggable(work.estate.types_without_tags), Ledgers(work.store, NAME)
    names = {rule.name for rule in settings.rules}

    @cache
    def rules(types: frozenset[str]) -> TagRules:
        return TagRules(settings.rules, work.configuration.lists, types)

    def read(subscription: Subscription, parts: Parts) -> None:
        work.checkpoint()
        owners = _Owners(work, subscription, taken)
        auditor = TagAuditor(
            rules=rules(untaggable.types(subscription)),
            exemptions=Exemptions(settings.exemptions, taken),
            owner_tag=settings.owner_tag,
            scope=work.configuration.scope,
            suggested_owner=owners.suggested,
        )
        spill = f"{folder(work.run.id)}/spill/{work.run.attempt}/{subscription.id.casefold()}"
        with FindingSorter(work.store, spill) as sorter, parts.writer(subscription.id) as part:
            audit = SubscriptionAudit(auditor, subscription, sorter.add)
            found = audit.run(work.estate, work.checkpoint)
            unseen = _unseen(work, audit, found, names)
            entries = ledgers.entries(subscription.id.casefold())
            states = _record(part, compare(entries, _checked(work, sorter.sorted()), taken, unseen))
            for item in audit.items:
                part.add(_ITEMS, item)
            unknown = {"types that cannot carry tags": untaggable.reason, "suggested owners": owners.reason}
            told = {name: reason for name, reason in unknown.items() if reason}
            part.add(_SUMMARY, PartSummary(audit.tally.result(), states, audit.read, told))
            work.checkpoint()
            part.end(found)

    found = survey(work, read, readers=AUDITORS)
    states: Counter[State] = Counter()
    audited: dict[str, dict[Kind, int]] = {}
    unknown: dict[str, str] = {}

    def summaries() -> Iterator[Compliance]:
        for line in found.lines(_SUMMARY):
            each = msgspec.json.decode(line, type=PartSummary)
            states.update(each.states)
            audited.update(dict.fromkeys(each.compliance.subscriptions, each.read))
            for name, reason in each.unknown.items():
                unknown.setdefault(name, reason)
            yield each.compliance

    compliance = whole(summaries())
    resources = sum(each.resources or 0 for each in found.verdicts)
    in_scope = sum(each.get(Kind.RESOURCE, 0) for each in audited.values())
    status, error = judged(found.verdicts, work.configuration.scope, resources, in_scope)
    unused = sorted(names - compliance.rules.keys())
    unknown |= dict.fromkeys(unused, "applies to nothing that was read; look at its applies_to")
    outcome = HistoryEntry(
        run=work.run.id,
        taken=taken,
        status=status,
        percent=compliance.percent,
        rules=compliance.percent_by_rule,
        new=states[State.NEW],
        open=states[State.OPEN],
        fixed=states[State.FIXED],
        not_read=sum(each.reading in UNREAD for each in found.verdicts),
    )
    plan, more = _plan(work, found, audited, taken)
    if more:
        unknown["changes"] = f"{more:,} have no room in the plan; a later run plans them, when what is in it is done"
    number = _write_lines(work, found, compliance)
    _keep(work, found, outcome)
    summary = Summary(
        status=status,
        error=error,
        counts={
            **reading_counts(found.verdicts),
            "audited": compliance.subjects,
            "checks": compliance.total.evaluated,
            "violations": compliance.total.violated,
            "exempted": compliance.total.exempted,
            "findings": number,
            "new_findings": outcome.new,
            "fixed_findings": outcome.fixed,
            "planned_changes": len(plan.items) if plan else 0,
            **({"not_planned": more} if more else {}),
            "rules_without_checks": len(unused),
        },
        verdicts=tuple(found.verdicts),
        plan=plan.id if plan else None,
        outputs=(FINDINGS, FINDINGS_CSV, REPORT, COMPLIANCE),
    )
    if work.run.mode is Mode.APPLY and plan is not None and status is not RunStatus.FAILED:
        summary = apply_automatic(work, plan, summary)
    _write_page(work, found, compliance, outcome, unknown, summary)
    return summary


class _Owners:
    """Asks the activity log about a subscription when its first finding needs an owner, and only then.

    `reason` says what the log could not tell; None where it told everything, or was never asked.
    """

    def __init__(self, work: Work, subscription: Subscription, taken: datetime) -> None:
        self._activity = work.activity
        self._subscription = subscription
        self._taken = taken
        self._evidence: Evidence | None = None

    @property
    def reason(self) -> str | None:
        return self._evidence.reason if self._evidence else None

    def suggested(self, resource_id: str, created: datetime | None) -> Suggestion | None:
        """Name a person who may own something; None without evidence."""
        if self._evidence is None:
            self._evidence = self._activity.writers([self._subscription.id], self._taken - LONGEST_SPAN, self._taken)
        return self._evidence.suggested_owner(resource_id, created)


def _unseen(work: Work, audit: SubscriptionAudit, found: Verdict, names: set[str]) -> Callable[[Entry], State]:
    """Say what became of what is not found any more; only a complete reading can tell that it was fixed."""

    def judge(entry: Entry) -> State:
        group = group_name(entry.resource_id)
        if entry.rule not in names and not entry.rule.startswith("exemption:"):
            return State.DROPPED
        if group is not None and not work.configuration.scope.includes_group(group):
            return State.DROPPED
        if (key(entry.resource_id), entry.rule) in audit.exempted or audit.is_left_alone(entry.resource_id):
            return State.DROPPED
        return State.FIXED if found.reading is Reading.COMPLETE else State.UNKNOWN

    return judge


def _checked(work: Work, found: Iterator[Placed]) -> Iterator[Placed]:
    for number, each in enumerate(found):
        if number % 1000 == 0:
            work.checkpoint()
        yield each


def _record(part: PartWriter, compared: Iterator[Compared]) -> dict[State, int]:
    states: Counter[State] = Counter()
    for each in compared:
        states[each.state] += 1
        for finding in each.findings:
            part.add(_FINDINGS, finding)
        if each.state.remains:
            part.add(_LEDGER, each.entry)
    return dict(states)


def _plan(work: Work, found: Survey, audited: dict[str, dict[Kind, int]], taken: datetime) -> tuple[Plan | None, int]:
    """Write the plan if there is anything to do; return the one that stands, and how many items it has no room for."""
    items, more = choose(found.lines(_ITEMS))
    if not items:
        return None, more
    rules = work.configuration.digest_of(NAME)
    return Plans(work.store).save(make_plan(work.run, items, audited, taken, rules=rules)), more


def _findings(work: Work) -> Iterator[Finding]:
    return map(msgspec.json.Decoder(Finding).decode, work.store.lines(f"{folder(work.run.id)}/{FINDINGS}"))


def _write_lines(work: Work, found: Survey, compliance: Compliance) -> int:
    """Write what scripts and spreadsheets read; return the number of findings."""
    number = 0

    def counted() -> Iterator[bytes]:
        nonlocal number
        for piece in pieces(found.lines(_FINDINGS)):
            number += piece.count(b"\n")
            yield piece

    work.write(FINDINGS, counted())
    work.write(FINDINGS_CSV, tag_audit_csv(_findings(work), found.verdicts, work.run))
    work.write(COMPLIANCE, [msgspec.json.encode(compliance)])
    return number


def _write_page(
    work: Work,
    found: Survey,
    compliance: Compliance,
    outcome: HistoryEntry,
    unknown: dict[str, str],
    summary: Summary,
) -> None:
    """Write what people read: last of all, since it says what was changed too."""
    history = [each for each in History(work.store, NAME).last(TREND) if each.run != work.run.id]
    report = TagAuditReport(
        run=work.run,
        status=summary.status,
        ended=work.clock(),
        compliance=compliance,
        verdicts=found.verdicts,
        findings=_findings(work),
        number=summary.counts["findings"],
        new=outcome.new if history else None,
        fixed=outcome.fixed if history else None,
        history=history if found.known is None else [*history, outcome],
        unevaluated=unknown,
        changes={name: summary.counts[name] for name in Result if name in summary.counts},
        error=summary.error,
    )
    work.keep(REPORT, tag_audit_page(report))


def _keep(work: Work, found: Survey, outcome: HistoryEntry) -> None:
    """Make what this run remembers the ledgers; only now, as it may yet be resumed."""
    ledgers, head = Ledgers(work.store, NAME), Head(work.run.id, outcome.taken)

    def keep(subscription: Subscription) -> None:
        work.checkpoint()
        ledgers.keep(subscription.id.casefold(), head, found.lines_of(subscription, _LEDGER))

    side_by_side(keep, found.read)
    if found.known is not None:  # a narrowed run says nothing about the trend of all
        History(work.store, NAME).append(outcome)
        Snapshots(work.store, NAME).save_subscriptions(found.known)
