"""What the API answers, as types for the document: built from those that the answers are made of."""

from typing import Annotated, Any, Literal

import msgspec

from shared_code.catalog import JobView
from shared_code.doctor.checks import Check
from shared_code.model import Finding
from shared_code.plan import Plan, PlanItem
from shared_code.problems import Problem
from shared_code.runs import Run
from shared_code.snoozes import Snooze
from shared_code.stop import StopOrder

type Next = Annotated[str | None, msgspec.Meta(description="The address of the next page; null on the last one.")]
type Id = Annotated[str, msgspec.Meta(description="What its address ends in.")]


def _shown(name: str, base: type[msgspec.Struct], meaning: str, **other: Any) -> type[msgspec.Struct]:
    """Return a type with the fields of another one, of which some are of another type, left out (None) or added."""
    own = {field.name: field.type for field in msgspec.structs.fields(base)} | other
    kept = [(field, kind) for field, kind in own.items() if kind is not None]
    return msgspec.defstruct(name, kept, namespace={"__doc__": meaning}, kw_only=True)


class PlanLinks(msgspec.Struct):
    """Where a plan comes from."""

    run: str


class SelfLink(msgspec.Struct):
    """Where it is."""

    self: str


RunView = _shown("RunView", Run, "A run, with the addresses of what belongs to it.", links=dict[str, str])
PlanItemView = _shown(
    "PlanItemView", PlanItem, "An item of a plan; how the thing is defined stays in the store.", definition=None
)
PlanView = _shown(
    "PlanView",
    Plan,
    "A plan. Times are UTC.",
    items=tuple[PlanItemView, ...],  # type: ignore[valid-type]  # made above
    links=PlanLinks,
)
SnoozeView = _shown("SnoozeView", Snooze, "A snooze, and whether it is in force.", id=Id, active=bool)


class Health(msgspec.Struct):
    """Whether the configuration is whole, what is wrong with it, which runbook helps then, and all checks if asked."""

    status: Literal["healthy", "unhealthy"]
    problems: tuple[Problem, ...]
    runbook: str | msgspec.UnsetType = msgspec.UNSET
    checks: tuple[Check, ...] | msgspec.UnsetType = msgspec.UNSET


class JobList(msgspec.Struct):
    """Every job."""

    jobs: tuple[JobView, ...]


class RunList(msgspec.Struct):
    """A page of runs."""

    runs: tuple[RunView, ...]  # type: ignore[valid-type]  # made above
    next: Next


class FindingList(msgspec.Struct):
    """A page of findings."""

    findings: tuple[Finding, ...]
    next: Next


class PlanEntry(msgspec.Struct):
    """A plan in a list."""

    id: Id
    links: SelfLink


class PlanList(msgspec.Struct):
    """A page of plans."""

    plans: tuple[PlanEntry, ...]
    next: Next


class SnoozeList(msgspec.Struct):
    """A page of snoozes."""

    snoozes: tuple[SnoozeView, ...]  # type: ignore[valid-type]  # made above
    next: Next


class SnoozeEnd(msgspec.Struct):
    """A snooze that has ended."""

    id: Id
    active: Literal[False]


class StopView(msgspec.Struct):
    """Whether changes are stopped; `read_only` is STEWARD_READ_ONLY."""

    stopped: bool
    read_only: bool
    order: StopOrder | None


class Error(msgspec.Struct):
    """What went wrong (RFC 9457); `detail` says what to do in a sentence, `runbook` is the page that helps."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str
    runbook: str | msgspec.UnsetType = msgspec.UNSET


SHAPES: tuple[type[msgspec.Struct], ...] = (
    Error,
    FindingList,
    Health,
    JobList,
    JobView,
    PlanList,
    PlanView,
    Run,
    RunList,
    RunView,
    SnoozeEnd,
    SnoozeList,
    SnoozeView,
    StopView,
)
"""What an operation may name as the shape of its answer, and what these refer to."""
