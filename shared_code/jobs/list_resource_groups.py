"""list-resource-groups: every resource group of every enabled subscription in scope, and how many resources it has."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import msgspec

from shared_code.errors import AzureError
from shared_code.model import Reading, ResourceGroup, Subscription, Verdict
from shared_code.outputs import REPORT, RESOURCE_GROUPS, RESOURCE_GROUPS_CSV
from shared_code.parts import Parts
from shared_code.ports import Estate
from shared_code.reports.page import page
from shared_code.reports.spreadsheet import rows
from shared_code.resource_ids import group_key, key
from shared_code.run_records import folder
from shared_code.runs import Progress, status_of
from shared_code.scope import Scope, select
from shared_code.work import Summary, Work

READERS = 16
"""Subscriptions read at the same time."""


def list_resource_groups(work: Work) -> Summary:
    """Read, record, and write the three outputs.

    Raises:
        AzureError: the list of subscriptions could not be read.
        StoreError: the store cannot be read or written.
        Interrupted, Fenced: from the checkpoint.
    """
    selection = select(work.estate.subscriptions(), work.configuration.scope, work.run.scope.subscriptions)
    parts = Parts(work.store, work.run.id, work.configuration.scope)
    _read_missing(work, selection.to_read, parts)
    finished = parts.finished()
    chosen = [subscription.id.casefold() for subscription in selection.to_read]
    verdicts = sorted(
        [*(finished[name] for name in chosen), *selection.not_read], key=lambda verdict: key(verdict.subscription_id)
    )
    status, error = status_of(verdicts)
    counts = _counts(verdicts)
    _write_outputs(work, parts, chosen, verdicts, counts, status)
    return Summary(
        status=status,
        error=error,
        counts=counts,
        verdicts=tuple(verdicts),
        outputs=(RESOURCE_GROUPS, RESOURCE_GROUPS_CSV, REPORT),
    )


def read_subscription(
    estate: Estate, subscription: Subscription, scope: Scope, checkpoint: Callable[[], None] = lambda: None
) -> tuple[Verdict, list[ResourceGroup]]:
    """Read the resource groups of one subscription and count their resources.

    Returns:
        The verdict, and the groups in id order. If the groups could not be read to the end, those that were read come
        with an incomplete verdict; if the resources could not, every count is None. Nothing unread is ever 0.
        Resources of an excluded resource group are not counted.
    """
    groups: dict[str, ResourceGroup] = {}
    excluded: set[str | None] = set()
    all_groups = False
    sizes: Counter[str | None] | None = None
    reason: str | None = None
    try:
        for group_page in estate.resource_groups(subscription):
            checkpoint()
            groups.update((key(group.id), group) for group in group_page if scope.includes_group(group.name))
            excluded.update(key(group.id) for group in group_page if not scope.includes_group(group.name))
        all_groups = True
        found: Counter[str | None] = Counter()
        for id_page in estate.resource_ids(subscription):
            checkpoint()
            found.update(group for group in map(group_key, id_page) if group not in excluded)
        sizes = found
    except AzureError as error:
        reason = str(error)
    if sizes is not None:
        groups = {name: msgspec.structs.replace(group, resources=sizes[name]) for name, group in groups.items()}
    verdict = Verdict(
        subscription_id=subscription.id,
        subscription_name=subscription.name,
        reading=Reading.COMPLETE if reason is None else Reading.INCOMPLETE,
        reason=reason,
        resource_groups=len(groups) if groups or all_groups else None,
        resources=None if sizes is None else sizes.total(),
    )
    return verdict, [groups[name] for name in sorted(groups)]


def _read_missing(work: Work, to_read: tuple[Subscription, ...], parts: Parts) -> None:
    """Read, side by side, the subscriptions that an earlier attempt at this run did not finish."""
    done = parts.finished()
    missing = [subscription for subscription in to_read if subscription.id.casefold() not in done]
    total, finished = len(to_read), len(to_read) - len(missing)
    work.progress(Progress(finished, total))
    with ThreadPoolExecutor(READERS, "read") as pool:
        pending = {pool.submit(_read_part, work, subscription, parts) for subscription in missing}
        try:
            while pending:
                ready, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                finished += _finished(ready)
                work.progress(Progress(finished, total))
                work.checkpoint()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _finished(futures: set[Future[None]]) -> int:
    for future in futures:
        future.result()
    return len(futures)


def _read_part(work: Work, subscription: Subscription, parts: Parts) -> None:
    work.checkpoint()
    verdict, groups = read_subscription(work.estate, subscription, work.configuration.scope, work.checkpoint)
    work.checkpoint()
    parts.save(verdict, groups)


def _counts(verdicts: list[Verdict]) -> dict[str, int]:
    by_reading = Counter(verdict.reading for verdict in verdicts)
    return {
        "subscriptions_read": by_reading[Reading.COMPLETE],
        "subscriptions_not_read": by_reading[Reading.INCOMPLETE],
        "subscriptions_skipped": by_reading[Reading.SKIPPED],
        **_total("resource_groups", [verdict.resource_groups for verdict in verdicts]),
        **_total("resources", [verdict.resources for verdict in verdicts]),
    }


def _total(name: str, numbers: list[int | None]) -> dict[str, int]:
    """Add up what was read; where nothing was, there is no total, and not a 0."""
    known = [number for number in numbers if number is not None]
    return {name: sum(known)} if known else {}


def _write_outputs(
    work: Work, parts: Parts, chosen: list[str], verdicts: list[Verdict], counts: dict[str, int], status: str
) -> None:
    own = folder(work.run.id)

    def lines() -> Iterator[bytes]:
        for name in chosen:
            yield from parts.lines(name)

    def groups() -> Iterator[ResourceGroup]:
        decode = msgspec.json.Decoder(ResourceGroup).decode
        return map(decode, lines())

    def cells() -> Iterator[list[object]]:
        encode = msgspec.json.Encoder(order="deterministic").encode
        for group in groups():
            values = msgspec.to_builtins(group)
            yield [*(values[name] for name in header[:-1]), encode(group.tags).decode()]

    header = [name for name in ResourceGroup.__struct_fields__ if name != "tags"] + ["tags"]
    pieces = {
        RESOURCE_GROUPS: (line + b"\n" for line in lines()),
        RESOURCE_GROUPS_CSV: rows(header, cells()),
        REPORT: page(
            "resource_groups.html",
            run=work.run,
            status=status,
            ended=work.clock(),
            counts=counts,
            unread=[verdict for verdict in verdicts if verdict.reading is Reading.INCOMPLETE],
            groups=groups(),
        ),
    }
    for name, content in pieces.items():
        work.checkpoint()
        with work.store.writer(f"{own}/{name}") as output:
            for piece in content:
                output.write(piece)
