"""Resource groups with nothing in them.

Empty is only what was read to its end: the count of the group and the list of its members must agree. Hidden things
are no members: what a deployment stack or a deployment in progress is about to put there. Groups that Azure makes for
itself are kept by name, whatever a rule finds: see `protection`.
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import evidence, part, quoted, said
from shared_code.durations import Duration
from shared_code.model import Kind, Resource, ResourceGroup, text_in
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

_ENDED = frozenset({"succeeded", "failed", "canceled"})


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find a group in which nothing is, and into which nothing is being deployed."""
    return judged(
        _kept(target, around),
        lambda: Match(
            "nothing is in it; its tags, role assignments, policies and budgets would go with it",
            evidence(resources=0, tags=len(target.tags)),
        ),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    yield from unfit(target, around)
    if around.members:
        yield f"it has members: {len(around.members):,}, {quoted(around.members[0].id)} among them"
    count = around.group.resources if around.group else None
    if count != 0:
        yield "its resources were not counted to the end" if count is None else f"it has resources: {count:,}"
    yield from _stacks(around)
    yield from _deployments(around)


def unfit(target: Target, around: Around) -> Iterator[str]:
    """What keeps any resource group: it is not the one that was read, not settled, or managed."""
    if target.kind is not Kind.RESOURCE_GROUP:
        yield f"the rule is not about a {target.kind}"
    if around.group is None:
        yield "the group was not read"
    elif around.group.managed_by:
        yield f"it is managed by {quoted(around.group.managed_by)}"
    for owner in (target.managed_by, target.definition.get("managedBy")):
        if owner not in (None, ""):
            yield f"it is managed by {said(owner)}"
    if not _succeeded(target.state):
        yield f"its provisioning state is {said(target.state)}, not 'Succeeded'"
    given = target.properties.get("provisioningState", "Succeeded")
    if not _succeeded(given):
        yield f"its provisioning state is {said(given)}, not 'Succeeded'"


def _succeeded(state: object) -> bool:
    return isinstance(state, str) and state.lower() == "succeeded"


def _stacks(around: Around) -> Iterator[str]:
    stacks = around.lists.get("stacks")
    if stacks is None:
        yield "its deployment stacks were not read"
    elif stacks:
        yield f"a deployment stack is in it: {quoted(text_in(stacks[0], 'name') or 'without a name')}"


def _deployments(around: Around) -> Iterator[str]:
    deployments = around.lists.get("deployments")
    if deployments is None:
        yield "its deployments were not read"
    for each in deployments or ():
        state = part(part(each, "properties"), "provisioningState")
        if not isinstance(state, str) or state.lower() not in _ENDED:
            yield f"a deployment has not ended: {quoted(text_in(each, 'name') or 'without a name')} is {said(state)}"


def _candidate(given: ResourceGroup | Resource, _: RuleSettings, __: datetime) -> bool:
    return isinstance(given, ResourceGroup) and given.resources == 0


RULE = Rule(
    name="empty-resource-group",
    kinds=frozenset({Kind.RESOURCE_GROUP}),
    sentence=(
        "Resource groups in which nothing is, read to the end; not those that a service manages or Azure makes for"
        " itself, those of a deployment stack, or those into which something is being deployed."
    ),
    judge=judge,
    stage=Stage.GROUPS,
    candidate=_candidate,
    lists={
        "stacks": "/providers/Microsoft.Resources/deploymentStacks",
        "deployments": "/providers/Microsoft.Resources/deployments",
    },
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("14d"),
    minimum_observations=3,
)
