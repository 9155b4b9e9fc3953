"""News: what the things of a run have to tell that somebody was not told yet."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from shared_code.notices.memory import OWNER, Entry, owed, side_by_side
from shared_code.notices.things import Stage, Thing

FIRST = 10
"""Things named in a summary."""
MOST_FOR_OWNERS = 50_000
"""Things told to owners by one run, all of which are in memory; the next run goes on."""


@dataclass
class Summary:
    """What one receiver is told about a run: counts by rule, and the first things.

    `new` counts by rule and severity, "" where there is none; `planned` by rule.
    """

    new: Counter[tuple[str, str]] = field(default_factory=Counter)
    planned: Counter[str] = field(default_factory=Counter)
    first: list[Thing] = field(default_factory=list)
    things: int = 0

    def add(self, thing: Thing, stages: Collection[Stage]) -> None:
        """Count a thing for what is owed of it."""
        self.things += 1
        if Stage.FOUND in stages:
            self.new[thing.rule, thing.severity or ""] += 1
        if Stage.PLANNED in stages:
            self.planned[thing.rule] += 1
        if len(self.first) < FIRST:
            self.first.append(thing)


@dataclass
class News:
    """What is new: for operators by receiver, and for owners thing by thing."""

    summaries: defaultdict[str, Summary] = field(default_factory=lambda: defaultdict(Summary))
    for_owners: list[Thing] = field(default_factory=list)


def gather(entries: Iterable[Entry], things: Iterable[Thing], receivers: Collection[str], *, owners: bool) -> News:
    """Compare what was told with what there is to tell.

    Args:
        entries: what was told, in order.
        things: what there is, in order.
        receivers: of summaries.
        owners: whether owners are told.

    Raises:
        Damaged: one of them is out of order.
    """
    news = News()
    for entry, thing in side_by_side(entries, things):
        if thing is None:
            continue
        for receiver in receivers:
            if stages := owed(entry, thing, receiver):
                news.summaries[receiver].add(thing, stages)
        if owners and thing.for_owner and len(news.for_owners) < MOST_FOR_OWNERS and owed(entry, thing, OWNER):
            news.for_owners.append(thing)
    return news
