"""Findings in order: by resource, rule and kind, each once, in bounded memory."""

from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_code.errors import Damaged
from shared_code.findings import FindingSorter, Placed, placed
from shared_code.model import Finding, Severity
from shared_code.ndjson import PIECE
from shared_code.store import Store, Stored, open_store
from tests.stores import Passing

FOLDER = "runs/r/spills/1/s"
IDS = ["/s/a", "/S/A", "/s/a%20b", "/s/a b", "/s/b", "/s/\n", "/s/%0a", "/s/\x00", "/s/ß", "/s/\U0001f600", ""]
FINDINGS = some.builds(
    Finding,
    rule=some.sampled_from(["owner", "env"]),
    kind=some.sampled_from(["missing", "value"]),
    resource_id=some.sampled_from(IDS) | some.text(some.characters(exclude_categories=["Cs"])),
    severity=some.just(Severity.LOW),
    detail=some.text(some.characters(exclude_categories=["Cs"]), max_size=3),
)


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """An empty local store."""
    return open_store(tmp_path.as_uri())


def finding(number: int, detail: str = "") -> Finding:
    return Finding(rule="owner", kind="missing", resource_id=f"/s/{number:06}", severity=Severity.LOW, detail=detail)


def in_order(store: Store, findings: list[Finding], held: int) -> list[Placed]:
    with FindingSorter(store, FOLDER, held=held) as sorter:
        for one in findings:
            sorter.add(one)
        return list(sorter.sorted())


class TestFindingSorter:
    @given(findings=some.lists(FINDINGS, max_size=40), held=some.sampled_from([1, 3_000, 10**9]), rnd=some.randoms())
    @settings(deadline=None)
    def test_gives_each_place_once_in_order_whatever_the_order_of_pages(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        findings: list[Finding],
        held: int,
        rnd: Random,
    ) -> None:
        """The same from memory and through the store; nothing is left there."""
        store = open_store(tmp_path_factory.mktemp("findings").as_uri())
        shuffled = list(findings)
        rnd.shuffle(shuffled)

        found = in_order(store, shuffled, held)

        assert [one.place for one in found] == sorted({placed(one).place for one in findings})
        assert found == in_order(store, findings, 10**9)
        assert list(store.keys("")) == []

    def test_sorts_by_the_key_of_the_id_and_keeps_the_spelling(self, store: Store) -> None:
        spelled = [of("/S/B"), of("/s/a"), of("/s/C")]

        assert [one.finding.resource_id for one in in_order(store, spelled, 10**9)] == ["/s/a", "/S/B", "/s/C"]

    def test_may_be_asked_again(self, store: Store) -> None:
        with FindingSorter(store, FOLDER, held=1) as sorter:
            sorter.add(finding(2))
            sorter.add(finding(1))
            assert list(sorter.sorted()) == list(sorter.sorted()) == [placed(finding(1)), placed(finding(2))]

    def test_left_overs_of_a_killed_attempt_never_count(self, store: Store) -> None:
        for number in range(5):
            store.write(f"{FOLDER}/{number:06}.ndjson", b"{]")

        assert in_order(store, [finding(2), finding(1)], 1) == [placed(finding(1)), placed(finding(2))]

    def test_what_disappears_from_the_store_is_an_error(self, store: Store) -> None:
        """Not fewer findings."""
        with FindingSorter(store, FOLDER, held=1) as sorter:
            sorter.add(finding(1))
            for name in list(store.keys(FOLDER)):
                store.delete(name)
            with pytest.raises(Damaged, match=r"are not there any more; start the run again\.$"):
                list(sorter.sorted())

    def test_what_is_damaged_in_the_store_is_an_error(self, store: Store) -> None:
        with FindingSorter(store, FOLDER, held=1) as sorter:
            sorter.add(finding(1))
            for name in list(store.keys(FOLDER)):
                store.write(name, b"{]")
            with pytest.raises(Damaged, match=r"cannot be read: .*; start the run again\.$"):
                list(sorter.sorted())

    def test_memory_is_bounded_by_what_it_may_hold(self, store: Store) -> None:
        """However many there are: what it holds, what it writes at once, and how many runs it merges."""
        counting = Counting(store)
        with FindingSorter(counting, FOLDER, held=100_000) as sorter:
            held = 0
            for number in range(9_000):
                sorter.add(finding(number * 7 % 9_000, detail="x" * 100))
                held = max(held, len(sorter._held))
            assert held < 100_000 / 600
            assert len(sorter._runs) < 32
            assert [one.finding.resource_id for one in sorter.sorted()] == [f"/s/{each:06}" for each in range(9_000)]
        assert counting.longest <= PIECE + 500
        assert list(store.keys("")) == []

    def test_words_that_many_share_are_counted_once(self, store: Store) -> None:
        """What breaks a rule alike has one text, however long; that of each its own fills the memory sooner."""
        words = {"expected": "x" * 10_000}
        held = []
        for is_shared in (True, False):
            with FindingSorter(store, FOLDER, held=100_000) as sorter:
                for number in range(100):
                    sorter.add(msgspec.structs.replace(finding(number), evidence=words if is_shared else dict(words)))
                held.append(len(sorter._held))
                assert len(list(sorter.sorted())) == 100

        assert held == [100, 0]


def of(resource_id: str) -> Finding:
    return Finding(rule="r", kind="k", resource_id=resource_id, severity=Severity.LOW, detail="")


class Counting(Passing):
    """Remembers the length of the longest object that was written or read whole."""

    longest = 0

    def read(self, key: str) -> Stored | None:
        stored = super().read(key)
        self.longest = max(self.longest, len(stored.data) if stored else 0)
        return stored

    def write(self, key: str, data: bytes) -> None:
        self.longest = max(self.longest, len(data))
        super().write(key, data)
