"""The ledger: a first sighting is never moved, a healed finding starts anew, and what was not looked for stays."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_code.errors import Damaged, StoreError
from shared_code.findings import FindingSorter, Placed, placed
from shared_code.ledger import Compared, Entry, Head, Ledgers, State, compare
from shared_code.model import Finding, Reading, Severity, Verdict
from shared_code.parts import Parts
from shared_code.scope import Scope
from shared_code.store import Store, open_store
from tests.memory_store import MemoryStore
from tests.stores import DeadAfter, Killed
from tests.world import NOON

HOUR = timedelta(hours=1)


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """An empty local store."""
    return open_store(tmp_path.as_uri())


def finding(resource: str, rule: str = "rule", kind: str = "kind") -> Finding:
    return Finding(rule=rule, kind=kind, resource_id=resource, severity=Severity.LOW, detail="")


def seen(*resources: str) -> list[Placed]:
    return in_order(map(finding, resources))


def in_order(findings: Iterable[Finding]) -> list[Placed]:
    return sorted(map(placed, findings), key=lambda one: one.place)


def fixed(_: Entry) -> State:
    return State.FIXED


def unknown(_: Entry) -> State:
    return State.UNKNOWN


def left(compared: Iterable[Compared]) -> list[Entry]:
    return [each.entry for each in compared if each.state.remains]


def states(compared: Iterable[Compared]) -> dict[str, str]:
    return {each.entry.resource_id: each.state for each in compared}


def lines(entries: Iterable[Entry]) -> list[bytes]:
    return [msgspec.json.encode(entry) for entry in entries]


RESOURCES = some.sets(some.sampled_from("abcde"))
NAMED = some.sampled_from(["/s/a", "/S/A", "/s/a%20b", "/s/A b", "/s/b", "/s/ß", "/s/ẞ", "/s/\n", "/s/%0A"])


class TestCompare:
    @given(history=some.lists(some.tuples(RESOURCES, some.booleans()), max_size=12))
    def test_remembers_since_when_each_finding_is_open(self, history: list[tuple[set[str], bool]]) -> None:
        """Against a plain reading of the whole history: a gap starts anew, unless that run could not read all."""
        entries: list[Entry] = []
        plain: dict[str, tuple[datetime, datetime, int]] = {}
        for hour, (there, complete) in enumerate(history):
            now = NOON + hour * HOUR
            before = set(plain)
            compared = list(compare(entries, seen(*there), now, fixed if complete else unknown))
            entries = left(compared)

            gone = before - there
            for name in there:
                first, _, times = plain.get(name, (now, now, 0))
                plain[name] = (first, now, times + 1)
            if complete:
                for name in gone:
                    del plain[name]
            assert {one.resource_id: (one.first_seen, one.last_seen, one.times_seen) for one in entries} == plain
            assert states(compared) == (
                dict.fromkeys(there - before, State.NEW)
                | dict.fromkeys(there & before, State.OPEN)
                | dict.fromkeys(gone, State.FIXED if complete else State.UNKNOWN)
            )

    @given(
        before=some.lists(some.tuples(NAMED, some.sampled_from("rs"))),
        after=some.lists(some.tuples(NAMED, some.sampled_from("rs"), some.sampled_from("kl"))),
    )
    def test_every_finding_comes_once_and_in_order_with_its_first_date(
        self, before: list[tuple[str, str]], after: list[tuple[str, str, str]]
    ) -> None:
        """Several kinds share the entry of their rule and resource; spellings of one id do too."""
        earlier = {placed(finding(*each)).place: finding(*each) for each in before}
        entries = left(compare([], in_order(earlier.values()), NOON, fixed))
        now = {placed(finding(*each)).place: finding(*each) for each in after}

        compared = list(compare(entries, in_order(now.values()), NOON + HOUR, fixed))

        told = [each for one in compared for each in one.findings]
        assert [placed(each).place for each in told] == sorted(now)
        known = {place[:2] for place in earlier}
        assert [each.first_seen for each in told] == [NOON + HOUR * (place[:2] not in known) for place in sorted(now)]
        assert sum(one.state is State.NEW for one in compared) == len({place[:2] for place in now} - known)
        assert sum(one.state is State.FIXED for one in compared) == len(known - {place[:2] for place in now})

    def test_two_looks_in_a_row_are_one_sighting(self) -> None:
        """A sighting counts when it comes long enough after the last one that did, however many come between."""
        entries: list[Entry] = []
        counted = []
        for hours in (0, 1, 6, 11, 12, 13, 24):
            entries = left(compare(entries, seen("a"), NOON + hours * HOUR, fixed, apart=12 * HOUR))
            counted.append(entries[0].times_seen)

        assert counted == [1, 1, 1, 1, 2, 2, 3]
        assert (entries[0].first_seen, entries[0].last_seen) == (NOON, NOON + 24 * HOUR)

    @given(first=RESOURCES, second=RESOURCES, again=RESOURCES)
    def test_a_run_that_looks_again_says_the_same_of_what_is_new(
        self, first: set[str], second: set[str], again: set[str]
    ) -> None:
        """It may die while it keeps its ledgers, and be resumed under another scope."""
        entries = left(compare([], seen(*first), NOON, fixed))
        kept = left(compare(entries, seen(*second), NOON + HOUR, fixed))

        once = {each.entry.resource_id: each.entry for each in compare(entries, seen(*again), NOON + HOUR, fixed)}
        more = list(compare(kept, seen(*again), NOON + HOUR, fixed))

        assert {each.entry.resource_id for each in more if each.state is State.NEW} >= again - first
        for each in more:
            if each.state is State.OPEN:
                assert each.entry == once[each.entry.resource_id]

    def test_what_is_not_looked_for_any_more_is_forgotten_and_not_fixed(self) -> None:
        entries = left(compare([], seen("a", "b"), NOON, fixed))

        compared = list(compare(entries, seen("b"), NOON + HOUR, lambda _: State.DROPPED))

        assert states(compared) == {"a": State.DROPPED, "b": State.OPEN}
        assert [each.resource_id for each in left(compared)] == ["b"]

    def test_what_was_not_seen_is_judged_one_by_one(self) -> None:
        entries = left(compare([], seen(*"abc"), NOON, fixed))

        def judge(entry: Entry) -> State:
            return State.UNKNOWN if entry.resource_id == "b" else State.FIXED

        assert states(compare(entries, [], NOON + HOUR, judge)) == {"a": "fixed", "b": "unknown", "c": "fixed"}

    def test_what_was_not_seen_cannot_be_called_open(self) -> None:
        entries = left(compare([], seen("a"), NOON, fixed))

        with pytest.raises(ValueError, match=r"^an entry that was not seen cannot be 'open'$"):
            list(compare(entries, [], NOON, lambda _: State.OPEN))

    def test_is_a_stream(self) -> None:
        """Of a million entries and findings it asks for one after the other."""
        asked: list[str] = []

        def findings() -> Iterable[Placed]:
            for one in seen(*"abcde"):
                asked.append(one.place[0])
                yield one

        compared = iter(compare([], findings(), NOON, fixed))
        next(compared)

        assert asked == ["a", "b"]


class TestLedgers:
    def test_an_absent_one_is_empty(self, store: Store) -> None:
        assert list(Ledgers(store).entries("watchdog")) == []
        assert list(Ledgers(store, "tag-audit").entries("s1")) == []

    def test_is_kept_with_the_run_that_left_it(self, store: Store) -> None:
        entries = left(compare([], seen("b", "a"), NOON, fixed))

        Ledgers(store, "tag-audit").keep("s1", Head("run-1", NOON), lines(entries))

        assert list(Ledgers(store, "tag-audit").entries("s1")) == entries
        assert [entry.resource_id for entry in entries] == ["a", "b"]
        first = next(store.lines("ledger/tag-audit/s1.ndjson"))
        assert first == b'{"run":"run-1","taken":"2026-11-22T12:00:00Z"}'

    def test_one_that_a_later_run_left_stays(self, store: Store) -> None:
        """A run that was overtaken must not bring back what the later one told as fixed."""
        entries = left(compare([], seen("a"), NOON, fixed))
        Ledgers(store).keep("s1", Head("later", NOON + HOUR), [])

        Ledgers(store).keep("s1", Head("earlier", NOON), lines(entries))

        assert list(Ledgers(store).entries("s1")) == []

    def test_keeping_it_twice_is_keeping_it_once(self, store: Store) -> None:
        entries = left(compare([], seen("a"), NOON, fixed))
        for _ in range(2):
            Ledgers(store).keep("s1", Head("run", NOON), lines(entries))

        assert list(Ledgers(store).entries("s1")) == entries

    def test_what_a_run_says_last_counts(self, store: Store) -> None:
        """Taken up again, it has read more than its first attempt."""
        for found in ("a", "b"):
            Ledgers(store).keep("s1", Head("run", NOON), lines(left(compare([], seen(found), NOON, fixed))))

        assert [each.resource_id for each in Ledgers(store).entries("s1")] == ["b"]

    @given(calls=some.integers(1, 8), after=some.booleans())
    @settings(deadline=None, max_examples=20)
    def test_a_process_killed_while_it_keeps_one_leaves_the_old_or_the_new(
        self, tmp_path_factory: pytest.TempPathFactory, calls: int, *, after: bool
    ) -> None:
        store = open_store(tmp_path_factory.mktemp("ledger").as_uri())
        old, new = (left(compare([], seen(name), NOON, fixed)) for name in "ab")
        Ledgers(store).keep("s1", Head("run-1", NOON), lines(old))

        try:
            Ledgers(DeadAfter(store, calls, after=after)).keep("s1", Head("run-2", NOON + HOUR), lines(new))
        except Killed:
            assert list(Ledgers(store).entries("s1")) in (old, new)
        else:
            assert list(Ledgers(store).entries("s1")) == new

    @pytest.mark.parametrize("content", [b"{]", b'{"rule": 1}\n', b"\xff", b"", b"\n"])
    def test_a_damaged_one_is_an_error(self, store: Store, content: bytes) -> None:
        """Taken for empty, it would say everything anew, and forget since when."""
        store.write("ledger/watchdog.ndjson", content)
        ledgers = Ledgers(store)

        told = r"^The ledger 'ledger/watchdog.ndjson' cannot be read: line 1: .*; remove it to start anew\.$"
        with pytest.raises(Damaged, match=told):
            list(ledgers.entries("watchdog"))
        with pytest.raises(Damaged, match=told):
            ledgers.keep("watchdog", Head("run", NOON), [])
        stored = store.read("ledger/watchdog.ndjson")
        assert stored is not None
        assert stored.data == content

    @pytest.mark.parametrize("line", [b"{]", b"\xff", b"{}"])
    def test_a_damaged_line_is_named(self, store: Store, line: bytes) -> None:
        entries = left(compare([], seen("a"), NOON, fixed))
        Ledgers(store).keep("s1", Head("run", NOON), [*lines(entries), line])

        with pytest.raises(Damaged, match=r"^The ledger 'ledger/s1.ndjson' cannot be read: line 3: "):
            list(Ledgers(store).entries("s1"))

    @pytest.mark.parametrize("names", ["ba", "aa"], ids=["out of order", "twice"])
    def test_lines_out_of_order_are_an_error(self, store: Store, names: str) -> None:
        """Compared as a stream, they would look fixed and new."""
        entries = [left(compare([], seen(name), NOON, fixed))[0] for name in names]
        Ledgers(store).keep("s1", Head("run", NOON), lines(entries))

        with pytest.raises(Damaged) as damaged:
            list(Ledgers(store).entries("s1"))
        assert str(damaged.value) == (
            "The ledger 'ledger/s1.ndjson' cannot be read: line 3 is not in the order of resource ids and rules; "
            "remove it to start anew."
        )

    def test_one_that_disappears_meanwhile_is_not_empty(self, store: Store) -> None:
        Ledgers(store).keep("s1", Head("run", NOON), [])
        ledgers = Ledgers(store)
        store.delete("ledger/s1.ndjson")

        with pytest.raises(StoreError):
            list(ledgers.entries("s1"))


SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"


def audit(store: Store, run: str, attempt: int, found: Sequence[Finding], now: datetime) -> tuple[list[bytes], ...]:
    """What a job does with one subscription: sort, compare, write the part; tell it; keep the ledger."""
    parts = Parts(store, run, Scope())
    if SUBSCRIPTION not in parts.finished():
        spills = f"runs/{run}/spills/{attempt}/{SUBSCRIPTION}"
        with FindingSorter(store, spills, held=2_000) as sorter, parts.writer(SUBSCRIPTION) as part:
            for one in found:
                sorter.add(one)
            for each in compare(Ledgers(store, "tag-audit").entries(SUBSCRIPTION), sorter.sorted(), now, fixed):
                for one in each.findings:
                    part.add("findings", one)
                part.add("ledger" if each.state.remains else "fixed", each.entry)
            part.end(Verdict(subscription_id=SUBSCRIPTION, subscription_name="", reading=Reading.COMPLETE))
    told = tuple(list(parts.lines(SUBSCRIPTION, kind)) for kind in ("findings", "fixed", "ledger"))
    Ledgers(store, "tag-audit").keep(SUBSCRIPTION, Head(run, now), parts.lines(SUBSCRIPTION, "ledger"))
    return told


RUN, BEFORE = "20261122T060000Z-tag-audit-9c01f2ab", "20261121T060000Z-tag-audit-9c01f2ab"


class TestResume:
    @given(
        before=some.sets(some.integers(0, 12)), after=some.sets(some.integers(0, 12)),
        kills=some.lists(some.tuples(some.integers(1, 40), some.booleans()), max_size=3), rnd=some.randoms(),
    )  # fmt: skip
    @settings(deadline=None, max_examples=60)
    def test_a_run_killed_anywhere_tells_in_the_end_what_it_would_have_told(
        self, before: set[int], after: set[int], kills: list[tuple[int, bool]], rnd: Random
    ) -> None:
        """Even if it was killed when it had already kept its ledger, and whatever the order of Azure's pages."""

        def pages(numbers: set[int]) -> list[Finding]:
            found = [finding(f"/s/{number:02}") for number in numbers]
            rnd.shuffle(found)
            return found

        undisturbed, store = MemoryStore(), MemoryStore()
        for each in (undisturbed, store):
            audit(each, BEFORE, 1, pages(before), NOON)
        expected = audit(undisturbed, RUN, 1, pages(after), NOON + HOUR)

        for attempt, (calls, late) in enumerate(kills, 1):
            with suppress(Killed):
                audit(DeadAfter(store, calls, after=late), RUN, attempt, pages(after), NOON + HOUR)
        assert audit(store, RUN, 9, pages(after), NOON + HOUR) == expected
        assert list(Ledgers(store, "tag-audit").entries(SUBSCRIPTION)) == list(
            Ledgers(undisturbed, "tag-audit").entries(SUBSCRIPTION)
        )
        assert len(expected[0]) == len(after)
        assert len(expected[1]) == len(before - after)
