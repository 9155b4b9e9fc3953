"""One run of a job at a time: a lock with an expiry, and the runs that wait for it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from shared_code.errors import UNREADABLE, AlreadyExists, Changed, Damaged, StoreError
from shared_code.ports import Clock
from shared_code.store import Store

EXPIRY = timedelta(seconds=90)
"""A lock that is not renewed for this long has lost its owner."""
RENEW_EVERY = timedelta(seconds=15)
TAKEOVER_AFTER = timedelta(seconds=60)
"""Waited after the expiry before a takeover: longer than any request of the owner can still be under way."""
_TRIES = 20


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """`locks/{job}.json`: the run that holds the job, and the runs that wait for it, oldest first.

    `token` is new at every acquisition: it tells two attempts at one run apart. `holder` is the process.
    """

    run: str | None = None
    token: str = ""
    holder: str = ""
    expires: datetime | None = None
    waiting: tuple[str, ...] = ()

    def with_waiting(self, *runs: str) -> "Lock":
        """Return the lock with these runs waiting too."""
        waiting = tuple(sorted({*self.waiting, *runs} - {self.run}))
        return msgspec.structs.replace(self, waiting=waiting)


_decode = msgspec.json.Decoder(Lock).decode


class Locks:
    """The locks of all jobs, kept in the store and changed by compare-and-swap."""

    def __init__(self, store: Store, clock: Clock, holder: str, is_dead: Callable[[str], bool]) -> None:
        """Prepare.

        Args:
            store: where the locks are.
            clock: the present moment.
            holder: the identity of this process.
            is_dead: tells of a holder whether it certainly runs no more; then nobody waits for the expiry.
        """
        self._store = store
        self._clock = clock
        self._holder = holder
        self._is_dead = is_dead

    def read(self, job: str) -> Lock:
        """Return the job's lock as it is now."""
        return self._read(job)[0]

    def acquire(self, job: str, run: str, token: str) -> Lock:
        """Take the lock for a run, or join those who wait for it.

        Returns:
            The lock as it is afterwards: it is the caller's if it has the caller's token.
        """

        def take(lock: Lock) -> Lock:
            if lock.run is not None and not self.is_abandoned(lock):
                return lock.with_waiting(run)
            left_behind = () if lock.run is None else (lock.run,)
            mine = Lock(run=run, token=token, holder=self._holder, expires=self._clock() + EXPIRY)
            return mine.with_waiting(*lock.waiting, *left_behind)

        return self._change(job, take)

    def is_abandoned(self, lock: Lock) -> bool:
        """Tell whether the lock's owner is gone for certain, so that it may be taken over."""
        if lock.expires is None or self._is_dead(lock.holder):
            return True
        return self._clock() > lock.expires + TAKEOVER_AFTER

    def renew(self, job: str, token: str) -> bool:
        """Keep the lock for another while; False if it is no longer the caller's, who must then stop."""

        def prolong(lock: Lock) -> Lock:
            if lock.token != token:
                return lock
            return msgspec.structs.replace(lock, expires=self._clock() + EXPIRY)

        lock = self._change(job, prolong)
        return lock.token == token

    def release(self, job: str, token: str) -> tuple[str, ...]:
        """Give the lock back, if it is the caller's.

        Returns:
            The run that has waited longest, if the lock is free now: it needs a message. It goes on waiting until it
            takes the lock or leaves, so that a message that gets lost costs nobody behind it anything.
        """

        def free(lock: Lock) -> Lock:
            return Lock(waiting=lock.waiting) if lock.token == token else lock

        return self._next(self._change(job, free))

    def leave(self, job: str, run: str) -> tuple[str, ...]:
        """Let a run that has ended wait no longer; returns as `release` does."""

        def without(lock: Lock) -> Lock:
            return msgspec.structs.replace(lock, waiting=tuple(other for other in lock.waiting if other != run))

        return self._next(self._change(job, without))

    def _next(self, lock: Lock) -> tuple[str, ...]:
        return lock.waiting[:1] if lock.run is None else ()

    def _read(self, job: str) -> tuple[Lock, str | None]:
        stored = self._store.read(f"locks/{job}.json")
        if stored is None:
            return Lock(), None
        try:
            return _decode(stored.data), stored.etag
        except UNREADABLE as error:
            advice = f"delete locks/{job}.json if no run of the job is under way"
            raise Damaged(f"The lock of job '{job}' cannot be read: {error}; {advice}.") from error

    def _change(self, job: str, change: Callable[[Lock], Lock]) -> Lock:
        key = f"locks/{job}.json"
        for _ in range(_TRIES):
            lock, etag = self._read(job)
            wanted = change(lock)
            if wanted == lock:
                return lock
            try:
                if etag is None:
                    self._store.create(key, msgspec.json.encode(wanted))
                else:
                    self._store.replace(key, msgspec.json.encode(wanted), etag)
            except (AlreadyExists, Changed):
                continue
            return wanted
        raise StoreError(f"The lock of job '{job}' changes faster than it can be written; try again.")
