"""Messages of the queue that are not ours: whatever is in one, it names a run or is refused."""

import json

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as some

from __app__.queue import read
from shared_code.errors import UNREADABLE, StewardError
from shared_code.run_records import RunRecords
from tests.hostile import INJECTIONS
from tests.memory_store import MemoryStore

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.just("run") | some.text(), inner, max_size=3),
    max_leaves=6,
)
BODIES = some.binary() | some.text().map(str.encode) | VALUES.map(lambda value: json.dumps(value).encode())


def named(body: bytes) -> str | None:
    """Give the run that a message names; None for one that is not ours."""
    try:
        return read(func.QueueMessage(body=body))
    except UNREADABLE:
        return None


def tried(run: str) -> None:
    """Look for the record of that run, which there is none of."""
    with pytest.raises(StewardError):
        RunRecords(MemoryStore()).get(run)


@given(body=BODIES)
def test_any_message_names_a_run_or_none(body: bytes) -> None:
    """And a run that it names is looked for below `runs/`, wherever the name would lead."""
    if (run := named(body)) is not None:
        tried(run)


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
def test_no_name_of_a_run_leads_elsewhere(text: str) -> None:
    for body in (text.encode(errors="surrogatepass"), json.dumps({"run": text}).encode(), json.dumps(text).encode()):
        if (run := named(body)) is not None:
            tried(run)


def test_ours_is_understood() -> None:
    run = "20261122T060000Z-tag-audit-9c01f2ab"

    assert named(json.dumps({"run": run}).encode()) == run
