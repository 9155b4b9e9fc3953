"""What the estate holds now, and what its lists show of it: they may lag behind."""

import threading
import time
from collections import deque
from collections.abc import Callable
from operator import itemgetter

from msgspec.structs import replace

from devkit.simulator.holdings import Holdings
from devkit.simulator.model import Estate, ManagementGroup, Pages, Subscription

type Step = Callable[[Holdings], Holdings]
"""Makes another state of the present one."""


class State:
    """The present and the listed state of each subscription; changed and read from different threads.

    Lists show what was there `lag` seconds ago by `clock`; what an estate begins with was always there.
    """

    def __init__(self, estate: Estate, lag: float = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._estate = estate
        self._lag = lag
        self._clock = clock
        self._lock = threading.Lock()
        self._states = {each.id.casefold(): deque([(float("-inf"), Holdings(each))]) for each in estate.subscriptions}
        self._later: list[tuple[float, str, Step]] = []

    @property
    def pages(self) -> Pages:
        """How the list of subscriptions is paged."""
        return self._estate.subscription_pages

    @property
    def management_groups(self) -> tuple[ManagementGroup, ...]:
        """They stay as they are."""
        return self._estate.management_groups

    @property
    def estate(self) -> Estate:
        """The estate as it is now."""
        with self._lock:
            self._catch_up()
            return replace(
                self._estate, subscriptions=tuple(states[-1][1].subscription for states in self._states.values())
            )

    def present(self, subscription_id: str) -> Holdings | None:
        """What the subscription of that id, in any case, holds now; None when there is none."""
        with self._lock:
            self._catch_up()
            states = self._states.get(subscription_id.casefold())
            return states[-1][1] if states else None

    def listed(self, subscription_id: str) -> Holdings | None:
        """What lists show of that subscription; None when there is none."""
        with self._lock:
            self._catch_up()
            states = self._states.get(subscription_id.casefold())
            return self._shown(states) if states else None

    def subscriptions(self) -> list[Subscription]:
        """The subscriptions as they are listed."""
        with self._lock:
            self._catch_up()
            return [self._shown(states).subscription for states in self._states.values()]

    def change(self, subscription_id: str, subscription: Subscription) -> None:
        """Let the subscription of that id be this one from now on.

        Raises:
            ValueError: when there is none of that id, the new one has another, or it is served from recordings.
        """
        held = self.present(subscription_id)
        if held is None:
            raise ValueError(f"there is no subscription '{subscription_id}' to change")
        if subscription.id.casefold() != subscription_id.casefold():
            raise ValueError(f"subscription '{subscription_id}' cannot become '{subscription.id}'")
        if held.subscription.recorded or subscription.recorded:
            raise ValueError(f"subscription '{subscription_id}' is served from recordings, which do not change")
        changed = Holdings(subscription)
        self.update(subscription_id, lambda _: changed)

    def update(self, subscription_id: str, step: Step) -> Holdings:
        """Replace the present state by what `step` makes of it, with no other change in between."""
        with self._lock:
            self._catch_up()
            return self._take(subscription_id.casefold(), self._clock(), step)

    def later(self, subscription_id: str, seconds: float, step: Step) -> None:
        """Let `step`, which must not raise, replace what will be the present state in so many seconds."""
        with self._lock:
            self._later.append((self._clock() + seconds, subscription_id.casefold(), step))

    def catch_up(self) -> None:
        """Do what has come due."""
        with self._lock:
            self._catch_up()

    def _catch_up(self) -> None:
        """Do what has come due, in its order; whoever looks or changes does this first."""
        if not self._later:
            return
        now = self._clock()
        due = sorted((each for each in self._later if each[0] <= now), key=itemgetter(0))
        self._later = [each for each in self._later if each[0] > now]
        for at, subscription_id, step in due:
            self._take(subscription_id, at, step)

    def _take(self, subscription_id: str, at: float, step: Step) -> Holdings:
        states = self._states[subscription_id]
        changed = step(states[-1][1])
        states.append((at, changed))
        self._shown(states)
        return changed

    def _shown(self, states: deque[tuple[float, Holdings]]) -> Holdings:
        """The newest state that is at least as old as the lag; older ones are forgotten."""
        if len(states) > 1:
            until = self._clock() - self._lag
            while len(states) > 1 and states[1][0] <= until:
                states.popleft()
        return states[0][1]
