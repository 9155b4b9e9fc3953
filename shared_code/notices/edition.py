"""The edition of a run: its summaries and digests, and what is remembered when they were sent."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from shared_code.model import Reading, Subscription
from shared_code.notices import texts
from shared_code.notices.addresses import label_of, owner_address
from shared_code.notices.memory import OWNER, Entry, Memory, owed, remembered, side_by_side, word
from shared_code.notices.news import gather
from shared_code.notices.notice import Letter, Notice, Told
from shared_code.notices.owners import Owners
from shared_code.notices.settings import NoticeKind, Notices, Receivers
from shared_code.notices.things import Place, Thing
from shared_code.plan import PlanItem
from shared_code.ports import Estate
from shared_code.resource_ids import is_in_subscription, key
from shared_code.runs import Run


@dataclass
class Edition:
    """What is told about the things of one run.

    Args:
        run: that has ended.
        settings: what is told.
        receivers: to whom.
        things: gives them in order, and again when asked again.
        memory: of what was told.
    """

    run: Run
    settings: Notices
    receivers: Receivers
    things: Callable[[], Iterable[Thing]]
    memory: Memory
    notices: list[Notice] = field(default_factory=list)
    problems: list[Told] = field(default_factory=list)
    """Things whose owner could not be read; the next run tells of them."""
    _summaries: dict[str, Notice] = field(default_factory=dict)
    _digests: list[tuple[Notice, list[Thing]]] = field(default_factory=list)

    def compose(
        self, items: Iterable[PlanItem], estate: Estate, out_of_time: Callable[[], bool], keep: str | None
    ) -> None:
        """Work out who is told what.

        Args:
            items: of the run's plan.
            estate: where owners are read.
            out_of_time: tells when that takes too long.
            keep: the tag that keeps a thing from cleanup.

        Raises:
            Damaged: the memory or a file of the run cannot be understood.
            StoreError: the store cannot be read.
        """
        of_operators = self.receivers.operators if NoticeKind.SUMMARY in self.settings.on else {}
        of_owners = self.receivers.owner is not None and NoticeKind.DIGEST in self.settings.on
        news = gather(self.memory.entries(), self.things(), of_operators, owners=of_owners)
        for receiver, summary in news.summaries.items():
            text = texts.summary(self.run, summary.new, summary.planned, summary.first)
            letter = Letter(url=of_operators[receiver], text=text)
            self._summaries[receiver] = Notice(
                kind=NoticeKind.SUMMARY, receiver=receiver, things=summary.things, letter=letter
            )
        if news.for_owners:
            self._compose_digests(news.for_owners, items, estate, out_of_time, keep)
        self.notices = [*self._summaries.values(), *(notice for notice, _ in self._digests)]

    def remember(self, sent: Callable[[Notice], bool]) -> None:
        """Take down who was told of what.

        Args:
            sent: tells whether a notice was sent.

        Raises:
            Changed: somebody else has taken down something meanwhile.
            Damaged: the memory or a file of the run cannot be understood.
            StoreError: the store cannot be read or written.
        """
        receivers = [receiver for receiver, notice in self._summaries.items() if sent(notice)]
        owners = {thing.place for notice, things in self._digests if sent(notice) for thing in things}
        self.memory.keep(self.run.id, self._entries(receivers, owners))

    def _entries(self, receivers: Collection[str], owners: Collection[Place]) -> Iterator[Entry]:
        complete = {key(each.subscription_id) for each in self.run.subscriptions if each.reading is Reading.COMPLETE}

        def lasts(resource_id: str) -> bool:
            if is_in_subscription(resource_id):
                return key(resource_id).split("/")[2] not in complete
            return self.run.scope.subscriptions is not None

        for entry, thing in side_by_side(self.memory.entries(), self.things()):
            told: list[str] = []
            if thing is not None:
                told = [word(each, stage) for each in receivers for stage in owed(entry, thing, each)]
                if thing.place in owners:
                    told += [word(OWNER, stage) for stage in owed(entry, thing, OWNER)]
            if (kept := remembered(entry, thing, told, lasts)) is not None:
                yield kept

    def _compose_digests(
        self,
        things: list[Thing],
        items: Iterable[PlanItem],
        estate: Estate,
        out_of_time: Callable[[], bool],
        keep: str | None,
    ) -> None:
        owner, fallback = self.receivers.owner, self.receivers.fallback
        if owner is None or fallback is None:
            return
        owners = Owners(self.settings.owner_tag)
        owners.take(items)
        subscriptions = {
            key(each.subscription_id): Subscription(each.subscription_id, each.subscription_name, "Enabled")
            for each in self.run.subscriptions
        }
        wanted = ((thing.subscription_id or "", thing.resource_id) for thing in things)
        owners.read(estate, wanted, subscriptions, out_of_time)
        names = texts.names_of(self.run)
        by_address: defaultdict[str, list[Thing]] = defaultdict(list)
        unread: defaultdict[str, int] = defaultdict(int)
        for thing in things:
            if reason := owners.unread.get(key(thing.subscription_id or "")):
                unread[reason] += 1
            else:
                address = owner_address(owners.of(thing.resource_id), self.settings.owner_domains)
                by_address[address or ""].append(thing)
        for address, own in sorted(by_address.items()):
            text = texts.digest(self.run, own, names, owner=bool(address), tag=self.settings.owner_tag, keep=keep)
            letter = Letter(url=owner if address else fallback, to=address or None, text=text)
            receiver = f"{label_of(owner)} to {address}" if address else label_of(fallback)
            notice = Notice(kind=NoticeKind.DIGEST, receiver=receiver, things=len(own), letter=letter)
            self._digests.append((notice, own))
        self.problems = [
            Told(
                kind=NoticeKind.DIGEST,
                receiver="owners",
                things=number,
                ok=False,
                error=f"their tags were not read: {reason}",
            )
            for reason, number in unread.items()
        ]
