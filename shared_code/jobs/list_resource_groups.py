"""list-resource-groups: every resource group in scope, what is in it, what protects it, and what changed."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import msgspec

from shared_code.group_changes import Change, GroupChange, Snapshot, changes
from shared_code.history import TREND, History, HistoryEntry
from shared_code.model import UNREAD, Reading, ResourceGroup, Subscription, Verdict
from shared_code.outputs import CHANGES, REPORT, RESOURCE_GROUPS, RESOURCE_GROUPS_CSV
from shared_code.parts import Parts
from shared_code.reports.resource_groups import ResourceGroupsReport, resource_groups_page
from shared_code.reports.spreadsheet import rows
from shared_code.resource_groups import merged, read_subscription
from shared_code.run_records import folder
from shared_code.snapshots import Snapshots
from shared_code.survey import Survey, judged, reading_counts, side_by_side, survey
from shared_code.work import Summary, Work

_GROUPS, _CHANGES = "groups", "changes"


def list_resource_groups(work: Work) -> Summary:
    """Read, compare, record, and write the outputs.

    Raises:
        AzureError: the list of subscriptions could not be read.
        EmptyScope: nothing is in scope.
        Damaged: the history cannot be understood.
        StoreError: the store cannot be read or written.
        Interrupted, Fenced: from the checkpoint.
    """
    scope, snapshots = work.configuration.scope, Snapshots(work.store, work.run.job)

    def read(subscription: Subscription, parts: Parts) -> None:
        work.checkpoint()
        found, groups = read_subscription(work.estate, subscription, scope, work.checkpoint)
        changed: list[GroupChange] = []
        before = snapshots.groups(subscription) if found.reading is Reading.COMPLETE else None
        # Its own snapshot stands there if this run died while it kept them and goes on under another scope.
        if before and before.run != work.run.id:
            changed = changes(before, groups, scope)
            kinds = Counter(change.change for change in changed)
            found = msgspec.structs.replace(found, changes={kind: kinds[kind] for kind in Change})
        work.checkpoint()
        parts.save(found, groups=groups, changes=changed)

    found = survey(work, read)
    outputs = _Outputs(work, found)
    outputs.write_lines()
    types = outputs.types()
    resources = sum(each.resources or 0 for each in found.verdicts)
    status, error = judged(found.verdicts, scope, resources, sum(types.values()))
    counts = _counts(found.verdicts)
    taken = work.run.started or work.clock()
    unread = sum(each.reading in UNREAD for each in found.verdicts)
    entry = HistoryEntry(run=work.run.id, taken=taken, status=status, percent=None, not_read=unread, counts=counts)
    outputs.write_reports(entry, types)
    _keep(work, found, snapshots, taken)
    if _says_all(found):
        History(work.store, work.run.job).append(entry)
    return Summary(
        status=status,
        error=error,
        counts=counts,
        verdicts=tuple(found.verdicts),
        outputs=(RESOURCE_GROUPS, RESOURCE_GROUPS_CSV, REPORT, CHANGES),
    )


def _says_all(found: Survey) -> bool:
    """Tell whether a run was about the whole scope; a narrowed one says nothing about the trend of all."""
    return found.known is not None


def _counts(verdicts: list[Verdict]) -> dict[str, int]:
    compared = [found.changes for found in verdicts if found.changes is not None]
    return {
        **reading_counts(verdicts),
        **_total("resource_groups", [found.resource_groups for found in verdicts]),
        **_total("resources", [found.resources for found in verdicts]),
        **_total("locks", [found.locks for found in verdicts]),
        **{f"{kind}_groups": sum(each[kind] for each in compared) for kind in Change if compared},
    }


def _total(name: str, numbers: list[int | None]) -> dict[str, int]:
    """Add up what was read; where nothing was, there is no total, and not a 0."""
    known = [number for number in numbers if number is not None]
    return {name: sum(known)} if known else {}


_IN_JSON = ("tags", "resource_types", "locks")
"""Fields of a resource group that are JSON in a cell of the CSV, in the last columns."""


class _Outputs:
    """The files of one run."""

    def __init__(self, work: Work, found: Survey) -> None:
        self._work = work
        self._found = found
        self._folder = folder(work.run.id)
        self._group = msgspec.json.Decoder(ResourceGroup).decode
        self._change = msgspec.json.Decoder(GroupChange).decode

    def write_lines(self) -> None:
        """Write the NDJSON; all else is made from these objects, and not from a thousand parts once more."""
        self._work.write(RESOURCE_GROUPS, (line + b"\n" for line in self._found.lines(_GROUPS)))
        self._work.write(CHANGES, (line + b"\n" for line in self._found.lines(_CHANGES)))

    def types(self) -> dict[str, int]:
        """Count the resources in scope by type."""
        total: Counter[str] = Counter()
        for group in self._groups():
            total.update(group.resource_types or {})
        scope = self._work.configuration.scope
        return {name: number for name, number in merged(total).items() if scope.includes_type(name)}

    def write_reports(self, entry: HistoryEntry, types: dict[str, int]) -> None:
        """Write what people read."""
        self._work.write(RESOURCE_GROUPS_CSV, rows(self._header, self._cells()))
        report = ResourceGroupsReport(
            run=self._work.run,
            status=entry.status,
            ended=self._work.clock(),
            counts=entry.counts,
            verdicts=self._found.verdicts,
            changes=map(self._change, self._work.store.lines(f"{self._folder}/{CHANGES}")),
            types=sorted(types.items(), key=lambda each: (-each[1], each[0].casefold())),
            groups=self._groups(),
            history=self._history(entry),
        )
        self._work.write(REPORT, resource_groups_page(report))

    def _history(self, entry: HistoryEntry) -> list[HistoryEntry]:
        earlier = [each for each in History(self._work.store, self._work.run.job).last(TREND) if each.run != entry.run]
        return [*earlier, entry] if _says_all(self._found) else earlier

    @property
    def _header(self) -> list[str]:
        return [name for name in ResourceGroup.__struct_fields__ if name not in _IN_JSON] + list(_IN_JSON)

    def _groups(self) -> Iterator[ResourceGroup]:
        return map(self._group, self._work.store.lines(f"{self._folder}/{RESOURCE_GROUPS}"))

    def _cells(self) -> Iterator[list[object]]:
        encode = msgspec.json.Encoder(order="deterministic").encode
        for group in self._groups():
            values = msgspec.to_builtins(group)
            yield [
                "" if values[name] is None else encode(values[name]).decode() if name in _IN_JSON else values[name]
                for name in self._header
            ]


def _keep(work: Work, found: Survey, snapshots: Snapshots, taken: datetime) -> None:
    """Keep what was read completely, for the next run to compare with; only now, as this run may yet be resumed."""
    decode = msgspec.json.Decoder(ResourceGroup).decode
    scope = work.configuration.scope

    def keep(subscription: Subscription) -> None:
        work.checkpoint()
        before = snapshots.groups(subscription)
        if before and before.taken > taken:
            return  # a later run has overtaken this one, and what it told must not be told again
        groups = tuple(map(decode, found.lines_of(subscription, _GROUPS)))
        snapshots.save_groups(subscription, Snapshot(work.run.id, taken, scope, groups))

    side_by_side(keep, found.complete)
    if found.known is not None:
        snapshots.save_subscriptions(found.known)
