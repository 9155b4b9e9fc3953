"""Parts of a run: each finished subscription leaves one, which is progress, checkpoint and resume at once."""

from collections.abc import Iterable, Iterator

import msgspec

from shared_code.errors import Damaged
from shared_code.model import Verdict
from shared_code.run_records import folder
from shared_code.scope import Scope
from shared_code.store import Store


class Part(msgspec.Struct, frozen=True):
    """What vouches for the records of a finished subscription: the verdict, and the scope it was read under."""

    verdict: Verdict
    scope: Scope


_decode = msgspec.json.Decoder(Part).decode


class Parts:
    """The parts of one run: for each finished subscription its verdict and its records."""

    def __init__(self, store: Store, run_id: str, scope: Scope) -> None:
        """Name them; a part that was read under another scope, before a deployment, does not count."""
        self._store = store
        self._folder = f"{folder(run_id)}/parts"
        self._scope = scope

    def finished(self) -> dict[str, Verdict]:
        """Return the verdicts of the finished subscriptions by their id's key, in its order.

        Raises:
            Damaged: a part cannot be understood.
            StoreError: the store cannot be read.
        """
        keys = [key for key in self._store.keys(self._folder) if key.endswith(".json")]
        parts = {key.rsplit("/", 1)[1].removesuffix(".json"): self._part(key) for key in keys}
        return {name: part.verdict for name, part in parts.items() if part.scope == self._scope}

    def save(self, verdict: Verdict, records: Iterable[object]) -> None:
        """Write a part; the verdict comes last and makes it count, so that half a part never does.

        Args:
            verdict: what can be vouched for in the subscription.
            records: one for each NDJSON line, in order.
        """
        name = f"{self._folder}/{verdict.subscription_id.casefold()}"
        encode = msgspec.json.Encoder().encode
        self._store.write(f"{name}.ndjson", b"".join(encode(record) + b"\n" for record in records))
        self._store.write(f"{name}.json", msgspec.json.encode(Part(verdict, self._scope)))

    def lines(self, subscription: str) -> Iterator[bytes]:
        """Give the NDJSON lines of a finished subscription, by its id's key."""
        return self._store.lines(f"{self._folder}/{subscription}.ndjson")

    def _part(self, key: str) -> Part:
        stored = self._store.read(key)
        try:
            return _decode(stored.data if stored else b"")
        except msgspec.MsgspecError as error:
            raise Damaged(f"The part '{key}' cannot be read: {error}.") from error
