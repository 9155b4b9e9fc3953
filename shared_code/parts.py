"""Parts of a run: each finished subscription leaves one, which is progress, checkpoint and resume at once."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import msgspec

from shared_code.errors import UNREADABLE, Damaged
from shared_code.model import Verdict
from shared_code.ndjson import PIECE
from shared_code.run_records import folder
from shared_code.scope import Scope
from shared_code.store import Sink, Store


class Part(msgspec.Struct, frozen=True):
    """What vouches for a finished subscription: the verdict, the scope it was read under, and the kinds of records.

    `rules` is the digest of what it was judged by. Records of the kinds in `long` are too many to be read at once.
    """

    verdict: Verdict
    scope: Scope
    records: tuple[str, ...]
    long: tuple[str, ...] = ()
    rules: str = ""


_AT_ONCE = 16
"""Parts read at the same time: each takes a store in Azure some milliseconds, and there may be a thousand."""

_decode = msgspec.json.Decoder(Part).decode
_encode = msgspec.json.Encoder().encode


class PartWriter:
    """Takes the records of one subscription, of several kinds at a time; few are kept, many go to the store at once."""

    def __init__(self, store: Store, name: str, streams: ExitStack) -> None:
        self._store = store
        self._name = name
        self._streams = streams
        self._held: dict[str, bytearray] = {}
        self._sinks: dict[str, Sink] = {}
        self.verdict: Verdict | None = None

    def add(self, kind: str, record: object) -> None:
        """Add a record, one NDJSON line; raises StoreError."""
        held = self._held.get(kind)
        if held is None:
            held = self._held[kind] = bytearray()
        held += _encode(record)
        held += b"\n"
        if len(held) >= PIECE:
            self._sink(kind).write(bytes(held))
            held.clear()

    def end(self, verdict: Verdict) -> None:
        """Say that these are all, with what can be vouched for; without it the block leaves no part."""
        self.verdict = verdict

    def flush(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Write what is still held; return the kinds that have records, and those of them that have many."""
        for kind, held in self._held.items():
            if kind in self._sinks:
                self._sinks[kind].write(bytes(held))
            else:
                self._store.write(self._key(kind), bytes(held))
        self._streams.close()
        return tuple(self._held), tuple(self._sinks)

    def _sink(self, kind: str) -> Sink:
        if kind not in self._sinks:
            self._sinks[kind] = self._streams.enter_context(self._store.writer(self._key(kind)))
        return self._sinks[kind]

    def _key(self, kind: str) -> str:
        return f"{self._name}.{kind}.ndjson"


class Parts:
    """The parts of one run: for each finished subscription its verdict and its records."""

    def __init__(self, store: Store, run_id: str, scope: Scope, rules: str = "") -> None:
        """Find those of earlier attempts; one of another scope or other rules, before a deployment, does not count.

        Raises:
            Damaged: a part cannot be understood.
            StoreError: the store cannot be read.
        """
        self._store = store
        self._folder = f"{folder(run_id)}/parts"
        self._scope = scope
        self._rules = rules
        keys = [key for key in store.keys(self._folder) if key.endswith(".json")]
        with ThreadPoolExecutor(_AT_ONCE, "parts") as pool:
            found = zip(keys, pool.map(self._part, keys), strict=True)
            self._parts = {
                key.rsplit("/", 1)[1].removesuffix(".json"): part
                for key, part in found
                if (part.scope, part.rules) == (scope, rules)
            }

    def finished(self) -> dict[str, Verdict]:
        """Return the verdicts of the finished subscriptions by their id's key, in its order."""
        return {name: self._parts[name].verdict for name in sorted(self._parts)}

    @contextmanager
    def writer(self, subscription_id: str) -> Iterator[PartWriter]:
        """Write a part as a stream; the verdict comes last and makes it count, so that half a part never does.

        Raises:
            StoreError: the store cannot be written.
        """
        subscription = subscription_id.casefold()
        name = f"{self._folder}/{subscription}"
        with ExitStack() as streams:
            writing = PartWriter(self._store, name, streams)
            yield writing
            if writing.verdict is None:
                return
            part = Part(writing.verdict, self._scope, *writing.flush(), rules=self._rules)
            self._store.write(f"{name}.json", msgspec.json.encode(part))
            self._parts[subscription] = part

    def save(self, verdict: Verdict, **records: Iterable[object]) -> None:
        """Write a part whose records are at hand.

        Args:
            verdict: what can be vouched for in the subscription.
            records: by kind, one for each NDJSON line, in order; a kind without any is not written.
        """
        with self.writer(verdict.subscription_id) as part:
            for kind, each in records.items():
                for record in each:
                    part.add(kind, record)
            part.end(verdict)

    def lines(self, subscription: str, kind: str) -> Iterator[bytes]:
        """Give the NDJSON lines of one kind of a finished subscription, by its id's key; few are read at once.

        Raises:
            Damaged: they are gone.
            StoreError: the store cannot be read.
        """
        part = self._parts[subscription]
        if kind not in part.records:
            return iter(())
        key = f"{self._folder}/{subscription}.{kind}.ndjson"
        if kind in part.long:
            return self._store.lines(key)
        stored = self._store.read(key)
        if stored is None:
            raise Damaged(f"The part '{key}' is not there any more.")
        return iter(stored.data.split(b"\n")[:-1])

    def all_lines(self, subscriptions: Iterable[str], kind: str) -> Iterator[bytes]:
        """Give the lines of several, in this order; the next few that are short are on their way meanwhile."""
        coming: deque[Future[Iterator[bytes]]] = deque()
        with ThreadPoolExecutor(_AT_ONCE, "parts") as pool:
            try:
                for subscription in subscriptions:
                    coming.append(pool.submit(self.lines, subscription, kind))
                    if len(coming) == _AT_ONCE:
                        yield from coming.popleft().result()
                while coming:
                    yield from coming.popleft().result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _part(self, key: str) -> Part:
        stored = self._store.read(key)
        try:
            return _decode(stored.data if stored else b"")
        except UNREADABLE as error:
            raise Damaged(f"The part '{key}' cannot be read: {error}.") from error
