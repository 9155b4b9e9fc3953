"""What each subscription still grants, so that requests wait before Resource Manager refuses them.

It keeps a bucket of tokens for each subscription, caller and kind of request, and its answers tell what is left:
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping

LONGEST_WAIT = 30.0
"""Seconds waited at most for one try, whatever Retry-After says; Azure has asked for 20 minutes."""
REFILL = {"reads": 25.0, "writes": 10.0, "deletes": 10.0, "queries": 3.0}
"""Requests a second that a subscription's bucket gets back; Resource Graph grants 15 queries in 5 seconds at once."""
LOW = 10
"""Requests left below which one waits; room for what another caller, or an answer out of turn, takes unseen."""
_LEAST = 2
# A clock that was moved by the wait it is compared with may miss the end by a rounding error.
_MOMENT = 0.001

_PREFIX = "x-ms-ratelimit-remaining-"
_OF_ONE_KIND = re.compile(r"(?:subscription|tenant)-(?:global-)?(reads|writes|deletes)")
_OF_ANY_KIND = re.compile(r"subscription-resource-requests(?:-pt[0-9]+[mh])?")
_NUMBER = re.compile(r"[0-9]{1,9}")
_CLOCK_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?")
_SENTENCE = re.compile(rb"after '?([0-9]{1,9})'? seconds")
_QUERY = re.compile(r"https://[^/]*/providers/microsoft\.resourcegraph/", re.IGNORECASE)
_SUBSCRIPTION = re.compile(r"https://[^/]*/subscriptions/([^/?#]+)", re.IGNORECASE)


def remaining(headers: Mapping[str, str], kind: str) -> int | None:
    """Return how many more requests of that kind the answer promises, by its scarcest count; None if it says nothing.

    Args:
        headers: of any answer, names in any case.
        kind: `reads`, `writes`, `deletes` or `queries`.
    """
    return min((int(count) for count in _counts(headers, kind) if _NUMBER.fullmatch(count)), default=None)


def _counts(headers: Mapping[str, str], kind: str) -> Iterator[str]:
    for name, value in headers.items():
        lowered = name.lower()
        if not lowered.startswith(_PREFIX):
            continue
        family = lowered.removeprefix(_PREFIX)
        if family == "resource":
            # Microsoft.Compute/GetOperation3Min;2999,Microsoft.Compute/GetOperation30Min;15999
            yield from (entry.rpartition(";")[2].strip() for entry in value.split(",") if ";" in entry)
        elif ((one := _OF_ONE_KIND.fullmatch(family)) and one[1] == kind) or _OF_ANY_KIND.fullmatch(family):
            yield value.strip()


def quota_left(headers: Mapping[str, str]) -> int | None:
    """Return how many queries are left of Resource Graph's quota (x-ms-user-quota-remaining); None if it is unsaid."""
    value = next((value for name, value in headers.items() if name.lower() == "x-ms-user-quota-remaining"), "")
    return int(value) if _NUMBER.fullmatch(value.strip()) else None


def quota_reset(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until Resource Graph's quota is new (x-ms-user-quota-resets-after, hh:mm:ss); or None."""
    value = next((value for name, value in headers.items() if name.lower() == "x-ms-user-quota-resets-after"), "")
    found = _CLOCK_TIME.fullmatch(value.strip())
    return int(found[1]) * 3600.0 + int(found[2]) * 60 + int(found[3]) if found else None


def told_wait(body: bytes) -> float | None:
    """Return the seconds that a refusal names in its message only ("try again after '17' seconds"); None if unsaid."""
    found = _SENTENCE.search(body)
    return float(found[1]) if found else None


class Budget:
    """What one subscription grants for one kind of request, as far as its answers tell; safe for many threads.

    A request is counted as spent from `reserve` on, so that requests on their way and waiting ones are not forgotten.
    """

    def __init__(self, refill: float, clock: Callable[[], float]) -> None:
        self._refill = refill
        self._share = refill
        self._clock = clock
        self._mutex = threading.Lock()
        self._left: float | None = None
        self._at = 0.0
        self._open_requests = 0
        self._closed_until = float("-inf")

    def reserve(self) -> float:
        """Count one request and return the seconds after which it may be sent; `answered` or `lost` must follow."""
        with self._mutex:
            self._open_requests += 1
            now = self._clock()
            closed = max(0.0, self._closed_until - now)
            if self._left is None:
                return closed
            self._left += (now - self._at) * self._refill - 1
            self._at = now
            return closed + max(0.0, LOW - self._left - closed * self._refill) / self._share

    def closed_for(self) -> float:
        """Return the seconds until a refusal ends; 0 if none is in force."""
        with self._mutex:
            left = self._closed_until - self._clock()
        return left if left > _MOMENT else 0.0

    def answered(self, left: int | None, refused: bool = False, wait: float = 0.0) -> None:
        """Take in what an answer says.

        Args:
            left: requests left; None if it does not say.
            refused: whether it is a 429.
            wait: seconds to wait before any other request.
        """
        with self._mutex:
            self._open_requests -= 1
            now = self._clock()
            if refused:
                self._closed_until = max(self._closed_until, now + min(wait, LONGEST_WAIT))
            if left is not None:
                self._left, self._at = float(left - self._open_requests), now
                # Less is left than our own pace explains, so others take their share of what flows in.
                self._share = self._refill * min(1.0, max(left, _LEAST) / LOW)
            elif not refused:
                self._left = None  # What is not told is not guessed: nobody waits for a limit that may not exist.

    def quota(self, left: int | None, reset: float | None) -> None:
        """Take in what is left of a quota that is new at once after so many seconds; after `answered`."""
        if left is None or not reset:
            return
        with self._mutex:
            # Those on their way will have what is left.
            if left <= self._open_requests:
                self._closed_until = max(self._closed_until, self._clock() + min(reset, LONGEST_WAIT))

    def lost(self) -> None:
        """Take in that no answer came."""
        with self._mutex:
            self._open_requests -= 1

    def wait_for_turn(self, sleep: Callable[[float], None]) -> None:
        """Reserve, and wait until the request may be sent, LONGEST_WAIT at most; outside any mutex."""
        waited = min(self.reserve(), LONGEST_WAIT)
        try:
            if waited > 0:
                sleep(waited)
            # Another request may have been refused meanwhile.
            while waited < LONGEST_WAIT and (closed := self.closed_for()) > 0:
                more = min(closed, LONGEST_WAIT - waited)
                sleep(more)
                waited += more
        except BaseException:
            self.lost()
            raise


class Budgets:
    """The budget of each subscription, or of the tenant where a path names none, for each kind of request."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._budgets: dict[tuple[str, str], Budget] = {}

    def of(self, kind: str, url: str) -> Budget:
        """Return the budget that a request is taken from."""
        found = _SUBSCRIPTION.match(url)
        key = (found[1].casefold() if found else "", kind)
        return self._budgets.get(key) or self._budgets.setdefault(key, Budget(REFILL[kind], self._clock))


def kind_of(method: str, url: str = "") -> str:
    """Return the kind of request that Resource Manager counts a method as; queries of Resource Graph are their own."""
    if _QUERY.match(url):
        return "queries"
    return {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method.upper(), "writes")
