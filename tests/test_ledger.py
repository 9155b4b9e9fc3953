"""The ledger: a first sighting is never moved, and a healed finding starts anew."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code import ledger
from shared_code.errors import Damaged
from shared_code.model import Finding, Severity
from shared_code.store import open_store
from tests.world import NOON


def finding(resource: str) -> Finding:
    return Finding(rule="rule", kind="kind", resource_id=resource, severity=Severity.LOW, detail="")


@given(history=some.lists(some.sets(some.sampled_from("abcde")), max_size=12))
def test_the_ledger_remembers_since_when_each_finding_is_open(history: list[set[str]]) -> None:
    """Against a plain reading of the whole history: unbroken sightings count, a gap starts anew."""
    entries: tuple[ledger.Entry, ...] = ()
    for hour, seen in enumerate(history):
        now = NOON + timedelta(hours=hour)
        before = {entry.resource_id for entry in entries}
        observed = ledger.observe(entries, map(finding, sorted(seen)), now)
        entries = observed.open

        assert {entry.resource_id for entry in entries} == seen
        assert {found.resource_id for found in observed.new} == seen - before
        assert {entry.resource_id for entry in observed.healed} == before - seen
        for entry in entries:
            unbroken = 0
            while unbroken <= hour and entry.resource_id in history[hour - unbroken]:
                unbroken += 1
            assert entry.times_seen == unbroken
            assert entry.first_seen == NOON + timedelta(hours=hour - unbroken + 1)
            assert entry.last_seen == now


def test_the_ledger_is_kept_in_the_store(tmp_path: Path) -> None:
    """One entry a line, sorted; an absent one is empty."""
    store = open_store(tmp_path.as_uri())
    assert ledger.read(store, "watchdog") == []
    entries = ledger.observe([], map(finding, "ba"), NOON).open

    ledger.write(store, "watchdog", entries)

    assert ledger.read(store, "watchdog") == list(entries)
    assert [entry.resource_id for entry in entries] == ["a", "b"]


@pytest.mark.parametrize("content", [b"{]", b'{"rule": 1}\n', b"\xff"])
def test_a_damaged_ledger_is_an_error(tmp_path: Path, content: bytes) -> None:
    """Taken for empty, it would say everything anew, and forget since when."""
    store = open_store(tmp_path.as_uri())
    store.write("ledger/watchdog.ndjson", content)

    with pytest.raises(Damaged, match=r"^The ledger 'ledger/watchdog.ndjson' cannot be read: "):
        ledger.read(store, "watchdog")
