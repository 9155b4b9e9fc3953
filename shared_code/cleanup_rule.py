"""One rule of cleanup: what it is about, what it asks Azure, when it finds something, what it may do by itself."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import IntEnum, StrEnum

import msgspec

from shared_code.cleanup_settings import RuleSettings
from shared_code.durations import Duration
from shared_code.model import Kind, Resource, ResourceGroup
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target


class Stage(IntEnum):
    """When something is deleted within one application of a plan: all of an earlier stage have ended by then."""

    USERS = 10
    """What uses others: machines, gateways, load balancers, endpoints."""
    ATTACHMENTS = 20
    """What hangs on those: network interfaces, NAT gateways."""
    PARTS = 30
    """What is left behind: disks, addresses, security groups, route tables, availability sets, plans, pools."""
    COPIES = 40
    """Snapshots."""
    GROUPS = 90
    """Resource groups, last of all."""


class Match(msgspec.Struct, frozen=True):
    """What a rule has found: a sentence for the operator, and the facts it rests on.

    `since` is since when it is so, where Azure itself tells (the disk was detached, the date passed); None where only
    repeated sightings can tell.
    """

    detail: str
    evidence: dict[str, str] = {}
    since: datetime | None = None


class DoubtKind(StrEnum):
    """The `kind` of the finding about what a rule cannot make sense of."""

    UNREADABLE = "unreadable"
    """A value that cannot be read, or two that contradict each other."""
    BEYOND_HORIZON = "beyond-horizon"
    """A date further away than anybody may put it."""
    BEFORE_CREATION = "before-creation"
    """A date from before there was anything to delete, so copied from elsewhere or never set."""


class Doubt(msgspec.Struct, frozen=True):
    """Something a person should mend, since the rule cannot decide by it; a finding that is never planned."""

    kind: DoubtKind
    detail: str
    evidence: dict[str, str] = {}


type Judged = Match | Doubt | str
"""What a rule finds, what it cannot make sense of, or why it finds nothing."""
type Judge = Callable[[Target, Around, RuleSettings, datetime], Judged]
"""Says what it finds of the target: what is around it, the operator's settings, the moment (UTC). Never raises."""
type Candidate = Callable[[ResourceGroup | Resource, RuleSettings, datetime], bool]
"""Tells whether a line of a list may turn out to be a finding now (UTC): cheap, and never narrower than `judge`."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule.

    `types` are in lower case; a rule about groups, or about any type, has none. `stage` is that of its types: ask
    `stage_of`, which knows every target's. `query` is KQL for Resource Graph that projects `id` alone; where it is
    None, lists of the estate are enough and `candidate` picks from them. `lists` are what `judge` needs besides the
    target, each a path behind the id. `minimum_age` and `minimum_observations` hold unless the operator says otherwise.
    `recreatable` says whether it could be made anew just as it was; what could not is never automatic unless the
    operator says so.
    """

    name: str
    kinds: frozenset[Kind] = frozenset({Kind.RESOURCE})
    sentence: str
    judge: Judge
    stage: Stage
    types: frozenset[str] = frozenset()
    query: str | None = None
    candidate: Candidate | None = None
    lists: Mapping[str, str] = {}
    needs_activity: bool = False
    mode: RuleMode = RuleMode.REPORT
    minimum_age: Duration
    minimum_observations: int = 2
    recreatable: bool = False
    settings: type[RuleSettings] = RuleSettings

    @property
    def facts(self) -> dict[str, str]:
        """What an operator wants to know of it, in the order and the words of a table."""
        return {
            "name": self.name,
            "finds": self.sentence,
            "about": ", ".join(sorted(self.types))
            or " and ".join(sorted(f"{kind}s".replace("-", " ") for kind in self.kinds)),
            "mode": str(self.mode),
            "minimum_age": str(self.minimum_age),
            "minimum_observations": str(self.minimum_observations),
            "recreatable": "yes" if self.recreatable else "no",
        }


def query_for(type_: str, *conditions: str) -> str:
    """Return the query that proposes the resources of a type for which all conditions hold."""
    lines = ["resources", f"where type =~ '{type_}'", *(f"where {each}" for each in conditions), "project id"]
    return "\n| ".join([*lines, "order by id asc"])


def judged(reasons: Iterable[str], found: Callable[[], Match]) -> Match | str:
    """Return the first reason to find nothing; where there is none, what was found."""
    reason = next(iter(reasons), None)
    return found() if reason is None else reason
