"""App Service plans without apps.

`numberOfSites` is not always right (https://github.com/dolevshor/azure-orphan-resources/issues/82), so the plan's own
list of apps must be empty too. Plans whose apps come and go, or that cost nothing, are left alone.
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import evidence, in_list, managed, misread, part, quoted, said, texts_in
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.web/serverfarms"
_TIERS = frozenset(
    {
        "basic",
        "standard",
        "premium",
        "premiumv2",
        "premium0v3",
        "premiumv3",
        "premiummv3",
        "premium0v4",
        "premiumv4",
        "premiummv4",
    }
)
"""Dedicated machines that are paid for whether an app runs or not.

Not Free and Shared, which cost nothing; not Dynamic, FlexConsumption, ElasticPremium and WorkflowStandard, which the
service fills by itself; not Isolated, which an environment pays for.
"""
_ENVIRONMENTS = ("hostingEnvironment", "hostingEnvironmentId", "hostingEnvironmentProfile", "kubeEnvironmentProfile")


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find a dedicated plan on which, by two accounts, no app and no slot runs."""
    sku = target.definition.get("sku")
    return judged(
        _kept(target, around),
        lambda: Match(
            "no app and no slot runs on it, by its own count and by the list of its apps",
            evidence(
                sku=part(sku, "name"), workers=target.properties.get("numberOfWorkers"), kind=target.definition["kind"]
            ),
        ),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    plan = target.properties
    yield from misread(target, RULE.types)
    yield from managed(target, around)
    yield from _ready(plan)
    yield from _dedicated(target)
    for name in _ENVIRONMENTS:
        if plan.get(name) is not None:
            yield f"it is in an environment of its own: its {name} is {said(plan[name])}"
    count = plan.get("numberOfSites")
    if isinstance(count, bool) or not isinstance(count, int):
        yield f"Azure does not say how many apps it has: its numberOfSites is {said(count)}"
    elif count != 0:
        yield f"apps run on it: its numberOfSites is {said(count)}"
    connections = plan.get("vnetConnectionsUsed")
    if connections is not None and (isinstance(connections, bool) or connections != 0):
        yield f"networks are connected with it: its vnetConnectionsUsed is {said(connections)}"
    yield from in_list(around, "sites", "apps and slots")


def _ready(plan: dict[str, object]) -> Iterator[str]:
    # Plans have no provisioning state, and their status is the word or its number.
    state, status = plan.get("provisioningState"), plan.get("status")
    if not (state is None or (isinstance(state, str) and state.lower() == "succeeded")):
        yield f"its provisioningState is {said(state)}, not 'Succeeded'"
    if isinstance(status, bool) or status not in ("Ready", 0):
        yield f"its status is {said(status)}, not 'Ready'"


def _dedicated(target: Target) -> Iterator[str]:
    sku, kind = target.definition.get("sku"), target.definition.get("kind")
    tier = part(sku, "tier")
    if not isinstance(tier, str) or tier.lower() not in _TIERS:
        yield f"its tier is {said(tier)}, and not one of those that cost money while nothing runs on them"
    if not isinstance(kind, str):
        yield f"Azure does not say its kind: {said(kind)}"
    elif any(word in kind.lower() for word in ("elastic", "workflow", "flex", "functionapp")):
        yield f"its kind is {quoted(kind)}, which the service fills by itself"
    if any("/hostingenvironments/" in text.lower() for text in texts_in(target.properties)):
        yield "it is in an App Service Environment"


RULE = Rule(
    name="app-service-plan-without-apps",
    sentence=(
        "App Service plans of a dedicated tier on which no app and no slot runs, by the plan's own count and by the"
        " list of its apps; not Free, Shared, Consumption, Flex, Elastic and Logic App plans, nor those in an"
        " environment."
    ),
    judge=judge,
    stage=Stage.PARTS,
    types=frozenset({TYPE}),
    query=query_for(TYPE, "toint(properties.numberOfSites) == 0"),
    lists={"sites": "/sites"},
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("14d"),
    recreatable=True,
)
