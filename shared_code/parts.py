"""Parts of a run: each finished subscription leaves one, which is progress, checkpoint and resume at once."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from shared_code.errors import Damaged
from shared_code.model import Verdict
from shared_code.run_records import folder
from shared_code.scope import Scope
from shared_code.store import Store


class Part(msgspec.Struct, frozen=True):
    """What vouches for a finished subscription: the verdict, the scope it was read under, and the kinds of records."""

    verdict: Verdict
    scope: Scope
    records: tuple[str, ...]


_AT_ONCE = 16
"""Parts read at the same time: each takes a store in Azure some milliseconds, and there may be a thousand."""

_decode = msgspec.json.Decoder(Part).decode


class Parts:
    """The parts of one run: for each finished subscription its verdict and its records."""

    def __init__(self, store: Store, run_id: str, scope: Scope) -> None:
        """Find those of earlier attempts; one that was read under another scope, before a deployment, does not count.

        Raises:
            Damaged: a part cannot be understood.
            StoreError: the store cannot be read.
        """
        self._store = store
        self._folder = f"{folder(run_id)}/parts"
        self._scope = scope
        keys = [key for key in store.keys(self._folder) if key.endswith(".json")]
        with ThreadPoolExecutor(_AT_ONCE, "parts") as pool:
            found = zip(keys, pool.map(self._part, keys), strict=True)
            self._parts = {
                key.rsplit("/", 1)[1].removesuffix(".json"): part for key, part in found if part.scope == scope
            }

    def finished(self) -> dict[str, Verdict]:
        """Return the verdicts of the finished subscriptions by their id's key, in its order."""
        return {name: self._parts[name].verdict for name in sorted(self._parts)}

    def save(self, verdict: Verdict, **records: Iterable[object]) -> None:
        """Write a part; the verdict comes last and makes it count, so that half a part never does.

        Args:
            verdict: what can be vouched for in the subscription.
            records: by kind, one for each NDJSON line, in order; a kind without any is not written.
        """
        subscription = verdict.subscription_id.casefold()
        name = f"{self._folder}/{subscription}"
        encode = msgspec.json.Encoder().encode
        encoded = {kind: b"".join(encode(record) + b"\n" for record in each) for kind, each in records.items()}
        part = Part(verdict, self._scope, tuple(kind for kind, lines in encoded.items() if lines))
        for kind in part.records:
            self._store.write(f"{name}.{kind}.ndjson", encoded[kind])
        self._store.write(f"{name}.json", msgspec.json.encode(part))
        self._parts[subscription] = part

    def lines(self, subscription: str, kind: str) -> list[bytes]:
        """Return the NDJSON lines of one kind of a finished subscription, by its id's key.

        Raises:
            Damaged: they are gone.
            StoreError: the store cannot be read.
        """
        if kind not in self._parts[subscription].records:
            return []
        key = f"{self._folder}/{subscription}.{kind}.ndjson"
        stored = self._store.read(key)
        if stored is None:
            raise Damaged(f"The part '{key}' is not there any more.")
        return stored.data.split(b"\n")[:-1]

    def all_lines(self, subscriptions: Iterable[str], kind: str) -> Iterator[bytes]:
        """Give the lines of several, in this order; the next few are on their way meanwhile."""
        coming: deque[Future[list[bytes]]] = deque()
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
        except msgspec.MsgspecError as error:
            raise Damaged(f"The part '{key}' cannot be read: {error}.") from error
