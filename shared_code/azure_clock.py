"""This machine's clock against Azure's: whoever is far off cannot tell what is due, nor whose lock has expired."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from shared_code.errors import AzureError
from shared_code.locks import EXPIRY, TAKEOVER_AFTER
from shared_code.ports import Clock

FAILS_AFTER = EXPIRY + TAKEOVER_AFTER
"""A process that is further off takes over locks that are held, or holds one that was taken over."""


def difference(before: datetime, after: datetime, told: datetime) -> timedelta:
    """Return by how much this clock is ahead of the one that has told the time; negative where it is behind.

    Args:
        before: when it was asked, by this clock.
        after: when the answer was there.
        told: the time in the answer, to the second.
    """
    if told > after:
        return after - told
    return max(before - told - timedelta(seconds=1), timedelta(0))


def words_of(off: timedelta) -> str:
    """Say how far this clock is off."""
    seconds = round(off.total_seconds())
    if not seconds:
        return "right"
    return f"{abs(seconds):,} s {'ahead' if seconds > 0 else 'behind'}"


class AzureClock:
    """Compares this machine's clock with what each answer of Azure says; safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        """Prepare; until an answer has told the time the clock is believed.

        Args:
            clock: the present moment, as this machine has it.
        """
        self._clock = clock
        self._off = timedelta(0)

    def told(self, date: str | None) -> None:
        """Take note of the header Date of an answer that has just come; one that is no date says nothing."""
        try:
            told = parsedate_to_datetime(date or "").astimezone(UTC)
        except ValueError:
            return
        now = self._clock()
        self._off = difference(now, now, told)

    def check(self) -> None:
        """Return if this machine's clock can be relied on.

        Raises:
            AzureError: it is too far off for anything to be deleted.
        """
        if abs(self._off) > FAILS_AFTER:
            raise AzureError(
                f"this machine's clock is {words_of(self._off)} by Azure's, so nobody can tell what is due or whose "
                "lock has expired; set it: 'steward doctor' shows both"
            )
