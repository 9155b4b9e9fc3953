"""The custom roles: what Steward may do in Azure, job by job, and what it calls; infra/roles/ is printed from here."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from shared_code.cleanup_rules import RULES
from shared_code.errors import InvalidRequest, Unknown
from shared_code.foreign_text import one_line
from shared_code.model import Kind
from shared_code.settings import JOBS

NO_SCOPE = "SCOPE"
"""What stands for the scope where none is given, to be replaced."""
EVERYTHING_READ = "*/read"
GROUP_DELETE = "Microsoft.Resources/subscriptions/resourceGroups/delete"
TAGS_WRITE = "Microsoft.Resources/tags/write"
_GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SCOPE = re.compile(
    rf"(?ai:/subscriptions/{_GUID}(?:/resourceGroups/[-\w.()]{{0,89}}[-\w()])?"
    r"|/providers/Microsoft\.Management/managementGroups/[-\w.()]{1,90})"
)
_SPELLED = (
    "Microsoft.Compute/availabilitySets",
    "Microsoft.Compute/disks",
    "Microsoft.Compute/snapshots",
    "Microsoft.Network/applicationGateways",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/natGateways",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/routeTables",
    "Microsoft.Sql/servers/elasticPools",
    "Microsoft.Web/serverfarms",
)
"""The types of rules as Azure's documents write them; rules have them in lower case."""
_SPELLING = {each.lower(): each for each in _SPELLED}


class RoleDefinition(msgspec.Struct, frozen=True):
    """A custom role: its name, what it is for, and its actions."""

    name: str
    description: str
    actions: tuple[str, ...]

    def document(self, scope: str = NO_SCOPE) -> dict[str, object]:
        """Return it as `az role definition create` takes it, to be assigned at one scope or below."""
        return {
            "Name": self.name,
            "IsCustom": True,
            "Description": self.description,
            "Actions": list(self.actions),
            "NotActions": [],
            "DataActions": [],
            "NotDataActions": [],
            "AssignableScopes": [scope],
        }

    def text(self, scope: str = NO_SCOPE) -> str:
        """Return that as JSON, with one line for each action where there are several."""
        lines = ",\n".join(f"  {_json(key)}: {_value(value)}" for key, value in self.document(scope).items())
        return f"{{\n{lines}\n}}\n"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _value(value: object) -> str:
    if not isinstance(value, list) or len(value) < 2:
        return _json(value)
    return "[\n" + ",\n".join(f"    {_json(each)}" for each in value) + "\n  ]"


def deletions_of(rules: Iterable[str]) -> tuple[str, ...]:
    """Return the actions by which what these rules are about is deleted.

    A rule that is about any type has none of its own: which types those are is for the operator to say.
    """
    found = {f"{_SPELLING.get(type_, type_)}/delete" for name in rules if name in RULES for type_ in RULES[name].types}
    if any(Kind.RESOURCE_GROUP in RULES[name].kinds for name in rules if name in RULES):
        found.add(GROUP_DELETE)
    return tuple(sorted(found, key=str.casefold))


READER = RoleDefinition(
    "Steward Reader",
    "Lets Steward read what it looks after: subscriptions, groups, resources, tags, locks and the activity log.",
    # No shorter list: Resource Graph leaves out what a caller may not read, and says nothing.
    (EVERYTHING_READ,),
)
TAGGER = RoleDefinition(
    "Steward Tagger", "Lets Steward add, change and remove tags, where it can read too.", (TAGS_WRITE,)
)
DELETER = RoleDefinition(
    "Steward Deleter",
    "Lets Steward delete what a rule of cleanup is about, where it can read too.",
    deletions_of(RULES),
)
ROLES: Mapping[str, RoleDefinition] = {"reader": READER, "tagger": TAGGER, "deleter": DELETER}
"""By the name of the file in infra/roles/."""

_BEYOND_READING = {"list-resource-groups": READER, "tag-audit": TAGGER, "cleanup": DELETER}

_LISTS = (
    "Microsoft.Authorization/locks/read",
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Resources/subscriptions/resources/read",
)
_PROVIDERS = "Microsoft.Resources/subscriptions/providers/read"
READS: Mapping[str, tuple[str, ...]] = {
    "list-resource-groups": _LISTS,
    "tag-audit": (*_LISTS, _PROVIDERS, "Microsoft.Resources/tags/read"),
    "cleanup": (
        *_LISTS,
        _PROVIDERS,
        "Microsoft.Authorization/denyAssignments/read",
        "Microsoft.ResourceGraph/resources/read",
        "Microsoft.Resources/deployments/read",
        "Microsoft.Resources/deploymentStacks/read",
        "Microsoft.Resources/subscriptions/operationresults/read",
        "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
        *(
            f"{_SPELLING[type_]}{path}/read"
            for rule in RULES.values()
            for type_ in sorted(rule.types)
            for path in ("", *rule.lists.values())
        ),
    ),
}
"""By job, what it reads in a subscription, action by action."""


def role_for(job: str) -> RoleDefinition:
    """Return the role that a job needs: the reader, or beyond it what its changes need.

    Raises:
        Unknown: there is no such job.
        InvalidRequest: the job asks Azure for nothing.
    """
    if job not in JOBS:
        raise Unknown(f"There is no job '{one_line(job, 80)}'; there are {', '.join(sorted(JOBS))}.")
    if job not in _BEYOND_READING:
        raise InvalidRequest(f"Job '{job}' asks Azure for nothing, so it needs no role.")
    return _BEYOND_READING[job]


def check_scope(scope: str) -> str:
    """Return the scope of a role definition as it is.

    Raises:
        InvalidRequest: no custom role can be assigned there.
    """
    if not _SCOPE.fullmatch(scope):
        raise InvalidRequest(
            f"--scope is '{one_line(scope, 120)}', and a role is assigned at a management group "
            "(/providers/Microsoft.Management/managementGroups/ID), a subscription (/subscriptions/ID) or a resource "
            "group in it (/subscriptions/ID/resourceGroups/NAME)."
        )
    return scope
