"""list-resource-groups: every resource group in scope, what is in it, what protects it, and what changed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec

from shared_code.errors import UnreadableAnswer
from shared_code.foreign_text import one_line
from shared_code.group_changes import Change, GroupChange, Snapshot, changes
from shared_code.listings import Listing, verdict
from shared_code.management_locks import ManagementLocks
from shared_code.model import UNREAD, Lock, Reading, ResourceGroup, Subscription, Verdict
from shared_code.outputs import CHANGES, REPORT, RESOURCE_GROUPS, RESOURCE_GROUPS_CSV
from shared_code.parts import Parts
from shared_code.ports import Estate
from shared_code.reports.page import page
from shared_code.reports.spreadsheet import rows
from shared_code.resource_ids import group_key, group_name, is_in_subscription, key
from shared_code.run_records import folder
from shared_code.runs import RunStatus, status_of
from shared_code.scope import Scope
from shared_code.snapshots import Snapshots
from shared_code.survey import READERS, Survey, survey
from shared_code.work import Summary, Work

_GROUPS, _CHANGES = "groups", "changes"


def list_resource_groups(work: Work) -> Summary:
    """Read, compare, record, and write the outputs.

    Raises:
        AzureError: the list of subscriptions could not be read.
        EmptyScope: nothing is in scope.
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
    status, error = _judged(found.verdicts, scope)
    counts = _counts(found.verdicts)
    _write_outputs(work, found, counts, status)
    _keep(work, found, snapshots)
    return Summary(
        status=status,
        error=error,
        counts=counts,
        verdicts=tuple(found.verdicts),
        outputs=(RESOURCE_GROUPS, RESOURCE_GROUPS_CSV, REPORT, CHANGES),
    )


def read_subscription(
    estate: Estate, subscription: Subscription, scope: Scope, checkpoint: Callable[[], None] = lambda: None
) -> tuple[Verdict, list[ResourceGroup]]:
    """Read the resource groups of one subscription, count their resources, and find the locks that protect them.

    Returns:
        The verdict, and the groups in id order. If the groups could not be read to the end, those that were read come
        with an incomplete verdict, and nothing else is read; if resources or locks could not, they are None. Nothing
        unread is ever 0. Of a group that is out of scope nothing is counted; in one that is in scope every resource is,
        also of types out of scope, so that no group looks emptier than it is.
    """
    listings = {"resource_groups": Listing(checkpoint)}
    groups: dict[str, ResourceGroup] = {}
    with listings["resource_groups"].attempt():
        for group_page in listings["resource_groups"].follow(estate.resource_groups(subscription)):
            groups.update((key(group.id), group) for group in group_page if scope.includes_group(group.name))
    types: dict[str | None, Counter[str]] | None = None
    locks: ManagementLocks | None = None
    if listings["resource_groups"].complete:
        listings |= {"resources": Listing(checkpoint), "locks": Listing(checkpoint)}
        types = _types(estate, subscription, scope, listings["resources"])
        locks = _locks(estate, subscription, scope, listings["locks"])
    found = [_with_content(group, types, locks) for _, group in sorted(groups.items())]
    return verdict(
        subscription,
        listings,
        resource_groups=len(found) if found or listings["resource_groups"].complete else None,
        resources=None if types is None else sum(each.total() for each in types.values()),
        locks=None if locks is None else len(locks),
    ), found


def _types(
    estate: Estate, subscription: Subscription, scope: Scope, listing: Listing
) -> dict[str | None, Counter[str]] | None:
    """Count the resources of each group in scope by type, as spelled; None where they could not all be read."""
    seen: Counter[tuple[str, str]] = Counter()
    with listing.attempt():
        for found in listing.follow(estate.resources(subscription)):
            # The start of an id, as received, names the group; only the few different ones are looked at closely.
            seen.update([("/".join(one.id.split("/", 5)[:5]), one.type) for one in found])
        if odd := next((start for start, _ in seen if "//" in start or not is_in_subscription(start)), None):
            # It may be in any of the groups, so none of them can be called empty.
            raise UnreadableAnswer(f"cannot read resources: where '{one_line(odd)}' lies cannot be told from its id")
    if not listing.complete:
        return None
    types: dict[str | None, Counter[str]] = {}
    for (start, kind), number in seen.items():
        if _in_scope(start, scope):
            types.setdefault(group_key(start), Counter())[kind] += number
    return types


def _in_scope(resource_id: str, scope: Scope) -> bool:
    name = group_name(resource_id)
    return name is None or scope.includes_group(name)


def _locks(estate: Estate, subscription: Subscription, scope: Scope, listing: Listing) -> ManagementLocks | None:
    """Find the locks but for those in groups out of scope; None where they could not all be read."""
    found: list[Lock] = []
    with listing.attempt():
        for lock_page in listing.follow(estate.locks(subscription)):
            found += (lock for lock in lock_page if _in_scope(lock.scope, scope))
    return ManagementLocks(found) if listing.complete else None


def _with_content(
    group: ResourceGroup, types: dict[str | None, Counter[str]] | None, locks: ManagementLocks | None
) -> ResourceGroup:
    inside = None if types is None else types.get(key(group.id), Counter())
    return msgspec.structs.replace(
        group,
        resources=None if inside is None else inside.total(),
        resource_types=None if inside is None else merged(inside),
        locks=None if locks is None else locks.on(group.id),
    )


def merged(types: Counter[str]) -> dict[str, int]:
    """Add up types that differ in case only, under the spelling that sorts first; in the order of their names."""
    spelled: dict[str, str] = {}
    total: Counter[str] = Counter()
    for name in sorted(types):
        total[spelled.setdefault(name.casefold(), name)] += types[name]
    return {name: total[name] for name in sorted(total, key=str.casefold)}


def _judged(verdicts: list[Verdict], scope: Scope) -> tuple[RunStatus, str | None]:
    """Judge the run; one whose patterns leave no group of all that were read has done nothing, and says so."""
    status, error = status_of(verdicts)
    read = sum(found.lists["resource_groups"].items for found in verdicts if found.lists)
    if status is RunStatus.SUCCEEDED and read and not any(found.resource_groups for found in verdicts):
        return RunStatus.FAILED, f"No resource group is in scope, of {read:,} that were read: {scope.group_words}."
    return status, error


def _counts(verdicts: list[Verdict]) -> dict[str, int]:
    by_reading = Counter(found.reading for found in verdicts)
    compared = [found.changes for found in verdicts if found.changes is not None]
    return {
        "subscriptions_read": by_reading[Reading.COMPLETE],
        "subscriptions_not_read": sum(by_reading[reading] for reading in UNREAD),
        "subscriptions_skipped": by_reading[Reading.SKIPPED],
        **_total("resource_groups", [found.resource_groups for found in verdicts]),
        **_total("resources", [found.resources for found in verdicts]),
        **_total("locks", [found.locks for found in verdicts]),
        **{f"{kind}_groups": sum(each[kind] for each in compared) for kind in Change if compared},
    }


def _total(name: str, numbers: list[int | None]) -> dict[str, int]:
    """Add up what was read; where nothing was, there is no total, and not a 0."""
    known = [number for number in numbers if number is not None]
    return {name: sum(known)} if known else {}


def _write_outputs(work: Work, found: Survey, counts: dict[str, int], status: str) -> None:
    own = folder(work.run.id)
    header = [name for name in ResourceGroup.__struct_fields__ if name not in _IN_JSON] + list(_IN_JSON)
    decode = msgspec.json.Decoder(ResourceGroup).decode
    decode_change = msgspec.json.Decoder(GroupChange).decode

    def groups() -> Iterator[ResourceGroup]:
        return map(decode, work.store.lines(f"{own}/{RESOURCE_GROUPS}"))

    def cells() -> Iterator[list[object]]:
        encode = msgspec.json.Encoder(order="deterministic").encode
        for group in groups():
            values = msgspec.to_builtins(group)
            nested = (values[name] for name in _IN_JSON)
            plain = [values[name] for name in header[: -len(_IN_JSON)]]
            yield [*plain, *("" if value is None else encode(value).decode() for value in nested)]

    def types() -> dict[str, int]:
        total: Counter[str] = Counter()
        for group in groups():
            total.update(group.resource_types or {})
        return {name: number for name, number in merged(total).items() if work.configuration.scope.includes_type(name)}

    def write(name: str, content: Iterable[bytes]) -> None:
        work.checkpoint()
        with work.store.writer(f"{own}/{name}") as output:
            for piece in content:
                output.write(piece)

    # These two first: the others are made from them, one object each instead of a thousand parts.
    write(RESOURCE_GROUPS, (line + b"\n" for line in found.lines(_GROUPS)))
    write(CHANGES, (line + b"\n" for line in found.lines(_CHANGES)))
    write(RESOURCE_GROUPS_CSV, rows(header, cells()))
    write(
        REPORT,
        page(
            "resource_groups.html",
            run=work.run,
            status=status,
            ended=work.clock(),
            counts=counts,
            unread=[each for each in found.verdicts if each.reading in UNREAD],
            skipped=[each for each in found.verdicts if each.reading is Reading.SKIPPED],
            compared=any(each.changes is not None for each in found.verdicts),
            changes=map(decode_change, work.store.lines(f"{own}/{CHANGES}")),
            types=sorted(types().items(), key=lambda each: (-each[1], each[0].casefold())),
            groups=groups(),
        ),
    )


_IN_JSON = ("tags", "resource_types", "locks")


def _keep(work: Work, found: Survey, snapshots: Snapshots) -> None:
    """Keep what was read completely, for the next run to compare with; only now, as this run may yet be resumed."""
    decode = msgspec.json.Decoder(ResourceGroup).decode
    taken, scope = work.run.started or work.clock(), work.configuration.scope

    def keep(subscription: Subscription) -> None:
        work.checkpoint()
        before = snapshots.groups(subscription)
        if before and before.taken > taken:
            return  # a later run has overtaken this one, and what it told must not be told again
        groups = tuple(map(decode, found.lines_of(subscription, _GROUPS)))
        snapshots.save_groups(subscription, Snapshot(work.run.id, taken, scope, groups))

    with ThreadPoolExecutor(READERS, "keep") as pool:
        for _ in pool.map(keep, found.complete):
            pass
    if found.known is not None:
        snapshots.save_subscriptions(found.known)
