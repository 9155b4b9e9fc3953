"""What the identity may do where: the role assignments that reach a scope, and what their roles permit."""

import copy
import re
from collections.abc import Iterable

from msgspec.structs import force_setattr, replace

from devkit.simulator import errors
from devkit.simulator.actions import action_of, asked_for, scope_of
from devkit.simulator.exchange import Call, Reply
from devkit.simulator.holdings import Holdings
from devkit.simulator.identity import PRINCIPAL
from devkit.simulator.locks import covers
from devkit.simulator.model import Json, Resource, ResourceGroup, Subscription
from devkit.simulator.roles import EVERYWHERE, Assignment, Role, shipped
from devkit.simulator.routes import Route
from devkit.simulator.state import State

_MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"
_ASK_GRAPH = "Microsoft.ResourceGraph/resources/read"
_READ_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/read"
_READ_SUBSCRIPTION = "Microsoft.Resources/subscriptions/read"
_SEES_ALL = frozenset({"*", "*/read"})
_CUT = ("resource-groups", "resources", "subscription")
"""What is answered to whoever may read something below the subscription, with just that."""


class Access:
    """Decides over one state; without assignments given, the roles of `infra/roles` hold everywhere."""

    def __init__(self, state: State, assignments: Iterable[Assignment] | None = None) -> None:
        self._state = state
        self.serial = 0
        """Tells what may be done now from what could be done before."""
        self.assign(assignments)

    def assign(self, assignments: Iterable[Assignment] | None) -> None:
        """Let these be the role assignments from the next call on."""
        self._assignments = shipped() if assignments is None else tuple(assignments)
        self.serial += 1
        self._all = tuple(range(len(self._assignments)))
        self._is_everywhere = all(each.scope == EVERYWHERE for each in self._assignments)
        self._decided: dict[tuple[str, tuple[int, ...]], bool] = {}
        self._shown: dict[str, tuple[int, Holdings]] = {}
        self.sees_all = any(
            each.scope == EVERYWHERE and _SEES_ALL & set(each.role.actions) and not each.role.not_actions
            for each in self._assignments
        )
        """Whether there is nothing that is not shown."""

    def refusal(self, call: Call, route: Route) -> Reply | None:
        """Resource Manager's 403 to a call, or None when a role allows it."""
        action, scope = action_of(call.method, call.path), scope_of(call.path)
        if self.permits(action, scope):
            return None
        if route.name in _CUT and self._reaches_into(f"/subscriptions/{route.subscription}"):
            return None
        return errors.forbidden(asked_for(action), scope, PRINCIPAL)

    def permits(self, action: str, scope: str) -> bool:
        """Whether an action may be done at a scope; locks and deny assignments are another matter."""
        reaching = self._reaching(scope)
        decided = self._decided.get((action, reaching))
        if decided is None:
            wanted = asked_for(action)
            decided = any(self._assignments[each].role.permits(wanted) for each in reaching)
            self._decided[action, reaching] = decided
        return decided

    def roles(self, scope: str) -> tuple[Role, ...]:
        """The role of each assignment that reaches a scope, from above or at it."""
        return tuple(self._assignments[each].role for each in self._reaching(scope))

    def _reaching(self, scope: str) -> tuple[int, ...]:
        """The places of the assignments that reach a scope; a set of roles is decided by them once."""
        if self._is_everywhere:
            return self._all
        places = (scope, *self._management_groups(scope))
        return tuple(
            number
            for number, each in enumerate(self._assignments)
            if any(covers(each.scope, place) for place in places) and self._is_there(each.scope)
        )

    def permissions(self, scope: str) -> list[Json]:
        """What Resource Manager tells the identity of itself: the roles that reach a scope."""
        return [
            {"actions": role.actions, "notActions": role.not_actions, "dataActions": [], "notDataActions": []}
            for role in self.roles(scope)
        ]

    def lists(self, subscription: Subscription) -> bool:
        """Whether the list of subscriptions has it: it may be read, or something in it."""
        scope = f"/subscriptions/{subscription.id}"
        return self.permits(_READ_SUBSCRIPTION, scope) or self._reaches_into(scope)

    def answers(self, subscription: Subscription) -> bool:
        """Whether Resource Graph looks into it; which action that takes is not documented beyond its name."""
        scope = f"/subscriptions/{subscription.id}"
        return self.lists(subscription) and (self.permits(_ASK_GRAPH, scope) or self._reaches_into(scope))

    def shows_group(self, group: ResourceGroup) -> bool:
        """Whether a list has the group."""
        return self.sees_all or self.permits(_READ_GROUP, group.id)

    def shows(self, resource: Resource) -> bool:
        """Whether a list has the resource: what may not be read is left out without a word."""
        return self.sees_all or self.permits(f"{resource.type}/read", resource.id)

    def shown(self, holdings: Holdings) -> Holdings:
        """What of a subscription may be read."""
        if self.sees_all:
            return holdings
        key = holdings.subscription.id.casefold()
        serial, shown = self._shown.get(key, (-1, holdings))
        if serial != holdings.serial:
            shown = self._cut(holdings)
            self._shown[key] = (holdings.serial, shown)
        return shown

    def _cut(self, holdings: Holdings) -> Holdings:
        groups = (
            replace(group, resources=tuple(each for each in group.resources if self.shows(each)))
            for group in holdings.subscription.resource_groups
        )
        subscription = copy.copy(holdings.subscription)
        shown = tuple(group for group in groups if group.resources or self.shows_group(group))
        force_setattr(subscription, "resource_groups", shown)
        return Holdings(subscription)

    def _reaches_into(self, scope: str) -> bool:
        """Whether a role that reads anything is assigned below a scope, but not at it."""
        return any(
            covers(scope, each.scope) and each.scope.casefold() != scope.casefold() and self._is_there(each.scope)
            for each in self._assignments
            if any(action == "*" or action.casefold().endswith("/read") for action in each.role.actions)
        )

    def _management_groups(self, scope: str) -> list[str]:
        """The ids of the management groups above a subscription or what is in it, or above a management group."""
        groups = self._state.management_groups
        folded = scope.casefold()
        if found := re.match("/subscriptions/([^/]+)", folded):
            name = next((each.id for each in groups if found[1] in map(str.casefold, each.subscriptions)), "")
        else:
            name = folded.removeprefix(_MANAGEMENT_GROUPS).partition("/")[0] if _MANAGEMENT_GROUPS in folded else ""
        parents = {each.id.casefold(): each.parent.casefold() for each in groups}
        above: list[str] = []
        while name and len(above) <= len(parents):
            above.append(_MANAGEMENT_GROUPS + name.casefold())
            name = parents.get(name.casefold(), "")
        return above

    def _is_there(self, scope: str) -> bool:
        """Whether what a role is assigned at exists: an assignment goes with its group or resource (oddity 54)."""
        named = re.match("(?i)/subscriptions/([^/]+)/resourcegroups/([^/]+)(/.+)?", scope)
        if not named:
            return True
        held = self._state.present(named[1])
        if held is None or held.group(named[2]) is None:
            return False
        return named[3] is None or held.resource(named[2], scope) is not None
