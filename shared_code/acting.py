"""Acting on one item of a plan: what the engine gives to whoever does it, and what it gets back."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from shared_code.model import Tags
from shared_code.outcomes import Result
from shared_code.plan import PlanItem


class Done(NamedTuple):
    """What became of an item.

    `tombstone` is the key of what was saved of it before it was deleted. `unread` says that nothing was done since it
    could not be read; `unsure` that a write may yet take effect which did not show.
    """

    result: Result
    reason: str | None
    before: Tags | None
    after: Tags | None
    writes: int
    tombstone: str | None = None
    unread: bool = False
    unsure: bool = False


class Hand(Protocol):
    """What applying gives to whoever acts on one item."""

    plan: str
    number: int
    begun_with: Tags | None
    """What an earlier attempt found before it began; None if none began."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        ...

    def halted(self) -> bool:
        """Whether the application ends, so that whoever only waits should do so no longer."""
        ...

    def may_write(self) -> None:
        """Return if this process may write to Azure now.

        Raises:
            Refused: nobody may, or not this run; the item ends here.
            Fenced: another process has taken over; so does this one.
        """
        ...

    def begin(self, before: Tags) -> None:
        """Claim the item, before the first write; raises Refused if another run has claimed it."""
        ...


type Act = Callable[[PlanItem, Hand], Done]
"""Does what an item says, or says why not."""
