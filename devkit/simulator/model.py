"""What an estate consists of: subscriptions, resource groups and resources, spelled as they are served."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import force_setattr, replace

from devkit.simulator.faults import Fault

Tags = dict[str, str]
Json = dict[str, Any]

TENANT = "7e4a0000-0000-4000-8000-000000000001"

_POLICIES = {
    "locationPlacementId": "Public_2014-09-01",
    "quotaId": "PayAsYouGo_2014-09-01",
    "spendingLimit": "Off",
}


class Pages(Struct, frozen=True, kw_only=True):
    """How one list is cut into pages, and how its nextLinks are spelled.

    `sizes` are the first pages' item counts (0 is an empty page with a nextLink); what is left comes in pages of
    `size`. `ends` says what the last page carries: no nextLink, null, "", "" without a value key for an empty list,
    a nextLink to one more page which is empty, a nextLink to another host, or one back to the first page.

    On loopback every nextLink has an explicit port, as some of Azure's have (oddity 4).
    """

    sizes: tuple[int, ...] = ()
    size: int = 1000
    ends: Literal["absent", "null", "blank", "no-value", "empty-page", "elsewhere", "loop"] = "absent"
    spelling: Literal["plain", "escaped", "lower-hex", "unescaped"] = "plain"
    token_length: int = 0


class Resource(Struct, frozen=True, kw_only=True, rename="camel"):
    """One resource; a field that is UNSET is a key Azure leaves out. The order is that of recorded answers."""

    id: str = ""
    name: str
    type: str
    sku: Json | UnsetType | None = UNSET
    kind: str | UnsetType | None = UNSET
    managed_by: str | UnsetType | None = UNSET
    location: str | UnsetType = UNSET
    identity: Json | UnsetType = UNSET
    zones: list[str] | UnsetType = UNSET
    plan: Json | UnsetType = UNSET
    created_time: str | UnsetType = "2026-03-02T08:15:30.1234567Z"
    changed_time: str | UnsetType = "2026-09-14T10:02:11.7654321Z"
    provisioning_state: str | UnsetType | None = "Succeeded"
    tags: Tags | UnsetType | None = UNSET
    system_data: Json | UnsetType = UNSET
    managed_by_extended: list[str] | UnsetType = UNSET
    """All owners of a shared disk; like `properties`, only the resource's own provider shows it."""
    properties: Json | UnsetType = UNSET
    """What it refers to and how it is; what uses it follows from the others. Without them, its type decides."""


class ResourceGroup(Struct, frozen=True, kw_only=True):
    """One resource group with its resources; a field that is UNSET is a key Azure leaves out."""

    id: str = ""
    name: str
    location: str = "westeurope"
    managed_by: str | UnsetType | None = UNSET
    tags: Tags | UnsetType | None = UNSET
    provisioning_state: str = "Succeeded"
    created_time: str | UnsetType = "2026-03-02T08:14:02.0031187Z"
    changed_time: str | UnsetType = "2026-03-02T08:24:05.1180214Z"
    resources: tuple[Resource, ...] = ()


class Lock(Struct, frozen=True, kw_only=True):
    """One management lock at a scope: the full id of a subscription, group, resource or child such as a subnet.

    In `scope`, `{subscription}` stands for the subscription's id. The lock's own id keeps the spelling of the scope.
    """

    name: str
    level: Literal["CanNotDelete", "ReadOnly"] = "CanNotDelete"
    scope: str = "/subscriptions/{subscription}"
    notes: str | UnsetType | None = UNSET
    owners: list[Json] | UnsetType = UNSET

    @property
    def id(self) -> str:
        """The id it is listed with."""
        return f"{self.scope}/providers/Microsoft.Authorization/locks/{self.name}"


class DenyAssignment(Struct, frozen=True, kw_only=True):
    """What an application or a deployment stack forbids to everybody at a scope and, unless it says so, below."""

    name: str
    id: str
    scope: str
    actions: tuple[str, ...] = ("*/delete",)
    spares_children: bool = False


class DeploymentStack(Struct, frozen=True, kw_only=True):
    """A deployment stack of a subscription (`group` "") or of a resource group, and the ids of what it manages."""

    name: str
    group: str = ""
    resources: tuple[str, ...] = ()


class ManagementGroup(Struct, frozen=True, kw_only=True):
    """One management group: the id of its parent ("" for the topmost), and the subscriptions directly in it."""

    id: str
    name: str
    parent: str = ""
    subscriptions: tuple[str, ...] = ()


class RecordedPage(Struct, frozen=True):
    """One recorded answer to a list request: its JSON object, and the path and query of its nextLink ("" if none)."""

    body: Json
    next_target: str = ""

    @property
    def items(self) -> list[Any]:
        """The items of the page; none where the answer has no list under `value`."""
        value = self.body.get("value")
        return value if isinstance(value, list) else []


class RecordedList(Struct, frozen=True):
    """A recorded list: what it lists, the file of its first page, and its pages in order."""

    lists: Literal["resource-groups", "resources", "locks"]
    file: str
    pages: tuple[RecordedPage, ...]

    @property
    def items(self) -> list[Any]:
        """The items of all pages, as recorded."""
        return [item for page in self.pages for item in page.items]


class Subscription(Struct, frozen=True, kw_only=True):
    """One subscription: what it holds, how its lists are paged, and what goes wrong when it is read.

    `trouble` is why it cannot be read completely ("" when it can). `budget` is how the headers say what is left of the
    token buckets (oddity 58). `recorded` takes the place of `resource_groups` in an estate made of recordings.
    """

    id: str
    name: str
    state: str = "Enabled"
    resource_groups: tuple[ResourceGroup, ...] = ()
    authorization_source: str | UnsetType = "RoleBased"
    tenant_id: str | UnsetType = TENANT
    managed_by_tenants: list[Json] | UnsetType = []
    policies: Json | UnsetType = field(default_factory=lambda: dict(_POLICIES))
    tags: Tags = {}
    locks: tuple[Lock, ...] = ()
    deny_assignments: tuple[DenyAssignment, ...] = ()
    stacks: tuple[DeploymentStack, ...] = ()
    group_pages: Pages = Pages()
    resource_pages: Pages = Pages()
    lock_pages: Pages = Pages()
    budget: Literal["buckets", "hourly", "title-case"] = "buckets"
    trouble: str = ""
    faults: tuple[Fault, ...] = ()
    recorded: RecordedList | None = None

    def __post_init__(self) -> None:
        # A frozen Struct still lets its own constructor finish the value: the ids follow from the place.
        placed = tuple(place(group, self.id) for group in self.resource_groups)
        force_setattr(self, "resource_groups", placed)
        force_setattr(self, "locks", tuple(_with_scope(lock, self.id) for lock in self.locks))
        denied = tuple(replace(each, scope=_of(each.scope, self.id)) for each in self.deny_assignments)
        force_setattr(self, "deny_assignments", denied)
        stacks = tuple(
            replace(each, resources=tuple(_of(managed, self.id) for managed in each.resources)) for each in self.stacks
        )
        force_setattr(self, "stacks", stacks)

    @property
    def resources(self) -> list[Resource]:
        """The resources of all its groups, in the order they are listed."""
        return [resource for group in self.resource_groups for resource in group.resources]

    @property
    def group_count(self) -> int:
        """How many resource groups a client that reads every page finds."""
        if self.recorded:
            return len(self.recorded.items) if self.recorded.lists == "resource-groups" else 0
        return len(self.resource_groups)

    @property
    def resource_count(self) -> int:
        """How many resources a client that reads every page finds."""
        if self.recorded:
            return len(self.recorded.items) if self.recorded.lists == "resources" else 0
        return sum(len(group.resources) for group in self.resource_groups)

    @property
    def lock_count(self) -> int:
        """How many locks a client finds that reads every page of the subscription's list."""
        if self.recorded:
            return len(self.recorded.items) if self.recorded.lists == "locks" else 0
        return len(self.locks)

    def group(self, name: str) -> ResourceGroup | None:
        """The resource group of that name in any case, or None."""
        wanted = name.casefold()
        return next((group for group in self.resource_groups if group.name.casefold() == wanted), None)


class Estate(Struct, frozen=True, kw_only=True):
    """All that one simulated tenant shows; `notes` are sentences for whoever starts it.

    Of the management groups, a client sees those named here; any other id is forbidden to it.
    """

    name: str
    subscriptions: tuple[Subscription, ...]
    subscription_pages: Pages = Pages()
    management_groups: tuple[ManagementGroup, ...] = ()
    descendant_pages: Pages = Pages()
    notes: tuple[str, ...] = ()

    def subscription(self, subscription_id: str) -> Subscription | None:
        """The subscription of that id in any case, or None."""
        wanted = subscription_id.casefold()
        return next((each for each in self.subscriptions if each.id.casefold() == wanted), None)

    @property
    def resource_groups(self) -> Iterator[ResourceGroup]:
        """Every resource group of the estate."""
        return (group for subscription in self.subscriptions for group in subscription.resource_groups)


def place(group: ResourceGroup, subscription_id: str) -> ResourceGroup:
    """The group and its resources with the ids that follow from the subscription, where none is given.

    In a given id, `{subscription}` and `{group}` stand for the subscription's id and the group's name.
    """
    scope = f"/subscriptions/{subscription_id}/resourceGroups/{group.name}"

    def fill(text: str) -> str:
        return text.replace("{subscription}", subscription_id).replace("{group}", group.name)

    def placed(resource: Resource) -> Resource:
        owner = resource.managed_by
        tags = resource.tags
        if _is_placed(resource):
            return resource
        return replace(
            resource,
            id=fill(resource.id) or f"{scope}/providers/{provider_path(resource.type, resource.name)}",
            managed_by=fill(owner) if isinstance(owner, str) else owner,
            tags={fill(key): value for key, value in tags.items()} if isinstance(tags, dict) else tags,
            managed_by_extended=_filled(resource.managed_by_extended, fill),
            properties=_filled(resource.properties, fill),
        )

    owner = group.managed_by
    return replace(
        group,
        id=fill(group.id) or scope,
        managed_by=fill(owner) if isinstance(owner, str) else owner,
        resources=tuple(placed(resource) for resource in group.resources),
    )


def _is_placed(resource: Resource) -> bool:
    # Estates of a million resources are placed when they are made; here only what is left to do costs anything.
    given = resource.id
    if not given or "{" in given or (isinstance(resource.managed_by, str) and "{" in resource.managed_by):
        return False
    if resource.properties is not UNSET and "{subscription}" in str(resource.properties):
        return False
    return not isinstance(resource.tags, dict) or "{" not in "".join(resource.tags)


def _filled(node: Any, fill: Callable[[str], str]) -> Any:
    if isinstance(node, str):
        return fill(node)
    if isinstance(node, list):
        return [_filled(each, fill) for each in node]
    if isinstance(node, dict):
        return {key: _filled(value, fill) for key, value in node.items()}
    return node


def _of(text: str, subscription_id: str) -> str:
    return text.replace("{subscription}", subscription_id)


def _with_scope(lock: Lock, subscription_id: str) -> Lock:
    scope = _of(lock.scope, subscription_id)
    return lock if scope == lock.scope else replace(lock, scope=scope)


def provider_path(resource_type: str, name: str) -> str:
    """Interlace a nested type with its name: `NS/a/b` and `x/y` give `NS/a/x/b/y`."""
    namespace, *types = resource_type.split("/")
    pairs = zip(types, name.split("/"), strict=True)
    return "/".join([namespace, *(part for pair in pairs for part in pair)])


def spelled_in_group(resource: Resource, group: ResourceGroup) -> Resource:
    """The resource as its group's own list shows it: with the group's true name in the id (oddity 10)."""
    spelled = re.sub(r"(?i)/resourcegroups/[^/]+", lambda _: f"/resourceGroups/{group.name}", resource.id, count=1)
    return replace(resource, id=spelled)
