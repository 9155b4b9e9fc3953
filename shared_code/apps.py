"""Which function apps use a store: each leaves word now and then, so that two on one storage account are noticed."""

import hashlib
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from shared_code.environment import is_in_azure
from shared_code.errors import UNREADABLE, StoreError
from shared_code.foreign_text import one_line
from shared_code.ports import Clock
from shared_code.store import Store

log = logging.getLogger(__name__)

FOLDER = "apps"
EVERY = timedelta(hours=1)
RECENT = timedelta(days=3)
"""How long an app that left word counts as one that is there."""
KEPT = timedelta(days=30)
LONGEST_HOST_ID = 32


class SeenApp(msgspec.Struct, frozen=True, kw_only=True):
    """`apps/{digest of the name}.json`: an app, the id by which its host takes locks, and when it was seen (UTC)."""

    name: str
    host_id: str
    seen: datetime


_decode = msgspec.json.Decoder(SeenApp).decode


def app_of(environ: Mapping[str, str], machine: str) -> tuple[str, str]:
    """Return the name of the app that runs here, and the id of its host; outside Azure that of the machine.

    Of a long name the host of most plans takes the first 32 characters, so that two apps may have one id; on Flex
    Consumption it takes a digest: https://github.com/Azure/azure-functions-host (ScriptHostIdProvider).

    Args:
        environ: the process environment.
        machine: the name of this machine.
    """
    name = environ.get("WEBSITE_SITE_NAME", "").strip() if is_in_azure(environ) else ""
    if not name:
        return f"outside Azure, on {one_line(machine, 80) or 'some machine'}", ""
    configured = environ.get("AzureFunctionsWebHost__hostid", "").strip()
    whole = configured or name.lower()
    is_flex = environ.get("WEBSITE_SKU", "").strip().casefold() == "flexconsumption"
    return name, whole if configured or is_flex else whole[:LONGEST_HOST_ID].rstrip("-")


class Apps:
    """The apps that use a store."""

    def __init__(self, store: Store, clock: Clock, name: str, host_id: str) -> None:
        """Prepare.

        Args:
            store: the store.
            clock: the present moment.
            name: of the app that runs here.
            host_id: of its host.
        """
        self._store = store
        self._clock = clock
        self.name = name
        self.host_id = host_id
        self._told: datetime | None = None

    def leave_word(self) -> None:
        """Say that this app is here, once an hour at most; it never raises, since nothing depends on it."""
        now = self._clock()
        if self._told is not None and timedelta(0) <= now - self._told < EVERY:
            return
        self._told = now
        own = SeenApp(name=self.name, host_id=self.host_id, seen=now)
        try:
            self._store.write(_key(self.name), msgspec.json.encode(own))
            for key, each in list(self._all()):
                if each is None or now - each.seen > KEPT:
                    self._store.delete(key)
        except StoreError as error:
            log.info("app=%s could not leave word in the store: %s", one_line(self.name, 80), one_line(str(error)))

    def recent(self) -> list[SeenApp]:
        """Return the apps seen lately, by their names.

        Raises:
            StoreError: the store cannot be read.
        """
        now = self._clock()
        found = [each for _, each in self._all() if each is not None and now - each.seen <= RECENT]
        return sorted(found, key=lambda each: each.name)

    def _all(self) -> list[tuple[str, SeenApp | None]]:
        return [(key, self._read(key)) for key in self._store.keys(FOLDER)]

    def _read(self, key: str) -> SeenApp | None:
        stored = self._store.read(key)
        try:
            found = _decode(stored.data) if stored else None
        except UNREADABLE:
            return None
        return found if found is not None and found.seen.tzinfo is not None else None


def _key(name: str) -> str:
    return f"{FOLDER}/{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"
