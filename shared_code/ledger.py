"""The ledger: since when, and how often, each finding was seen. A finding that heals is forgotten, and starts anew."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from shared_code.errors import Damaged
from shared_code.model import Finding
from shared_code.store import Store


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of one finding, by its rule and resource. Times are UTC."""

    rule: str
    resource_id: str
    first_seen: datetime
    last_seen: datetime
    times_seen: int


class Observed(msgspec.Struct, frozen=True):
    """What an observation made of the ledger: all that is open now, what is new in it, and what has healed."""

    open: tuple[Entry, ...]
    new: tuple[Finding, ...]
    healed: tuple[Entry, ...]


def observe(entries: Iterable[Entry], findings: Iterable[Finding], now: datetime) -> Observed:
    """Compare what is remembered with what is seen now; a second sighting never moves the first date."""
    known = {(entry.rule, entry.resource_id): entry for entry in entries}
    seen: dict[tuple[str, str], Entry] = {}
    new: list[Finding] = []
    for finding in findings:
        name = (finding.rule, finding.resource_id)
        entry = known.get(name)
        if entry is None:
            new.append(finding)
            seen[name] = Entry(rule=name[0], resource_id=name[1], first_seen=now, last_seen=now, times_seen=1)
        else:
            seen[name] = msgspec.structs.replace(entry, last_seen=now, times_seen=entry.times_seen + 1)
    healed = tuple(entry for name, entry in sorted(known.items()) if name not in seen)
    return Observed(tuple(entry for _, entry in sorted(seen.items())), tuple(new), healed)


def read(store: Store, name: str) -> list[Entry]:
    """Return the entries of `ledger/{name}.ndjson`; none if it was never written.

    Raises:
        Damaged: it cannot be understood; nothing is forgotten for that.
        StoreError: the store cannot be read.
    """
    stored = store.read(f"ledger/{name}.ndjson")
    try:
        return [] if stored is None else msgspec.json.Decoder(Entry).decode_lines(stored.data)
    except msgspec.MsgspecError as error:
        raise Damaged(f"The ledger 'ledger/{name}.ndjson' cannot be read: {error}; remove it to start anew.") from error


def write(store: Store, name: str, entries: Iterable[Entry]) -> None:
    """Write the entries, one a line; raises StoreError."""
    store.write(f"ledger/{name}.ndjson", msgspec.json.Encoder().encode_lines(list(entries)))
