"""An Azure in process, behind the ports that cleanup reads and deletes through; it misbehaves by script.

Time is the caller's clock. Between any two calls others may act, and every reading may fail: `script` says what happens
at which call. What cleanup must respect is told by `why`, written down without looking at the code under test.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from shared_code.cleanup_rules import RULES
from shared_code.errors import (
    AccessDenied,
    AzureError,
    Conflict,
    NotFound,
    Rejected,
    Throttled,
    Unauthenticated,
    Unreachable,
    UnreadableAnswer,
)
from shared_code.model import Kind, Lock, Resource, ResourceGroup, Subscription, Tags
from shared_code.ports import Candidates, Clock, Deletion, Followed
from shared_code.resource_ids import group_key, key
from shared_code.subscription_audit import GROUP_TYPE
from shared_code.targets import Denial, Target
from tests.cleanup import definition as unused

type Json = dict[str, Any]

TRUSTED_FOR = timedelta(seconds=5)
"""For how long locks, deny assignments and a missing stop may be believed unread."""
KINDS: dict[str, tuple[str, str]] = {
    "disk": ("Microsoft.Compute/disks", "unattached-disk"),
    "nic": ("Microsoft.Network/networkInterfaces", "unattached-network-interface"),
    "nsg": ("Microsoft.Network/networkSecurityGroups", "unused-network-security-group"),
    "ip": ("Microsoft.Network/publicIPAddresses", "unused-public-ip"),
    "plan": ("Microsoft.Web/serverfarms", "app-service-plan-without-apps"),
    "pool": ("Microsoft.Sql/servers/elasticPools", "sql-elastic-pool-without-databases"),
    "vm": ("Microsoft.Compute/virtualMachines", ""),
    "site": ("Microsoft.Web/sites", ""),
    "account": ("Microsoft.Storage/storageAccounts", ""),
}
"""What there may be, by a short name: its type, and the rule that is about it."""
_BASE = {rule: unused(rule) for _, rule in KINDS.values() if rule}
_OWN = {"networkSecurityGroup"}

FAULTS: dict[str, Callable[[], AzureError]] = {
    "trouble": lambda: AzureError("503"),
    "unauthenticated": lambda: Unauthenticated("no token"),
    "forbidden": lambda: AccessDenied("no role"),
    "locked": lambda: Rejected("ScopeLocked"),
    "conflict": lambda: Conflict("409"),
    "throttled": lambda: Throttled("429"),
    "lost": lambda: Unreachable("no answer"),
    "unreadable": lambda: UnreadableAnswer("<html>"),
}


def made(fault: str) -> AzureError:
    """The error of that name."""
    return FAULTS[fault]()


@dataclass
class Thing:
    """A resource, or a resource group; `uses` are the keys of what it is attached to."""

    id: str
    type: str
    made: int
    created: datetime
    kind: str = "group"
    tags: dict[str, str | None] = field(default_factory=dict)
    uses: set[str] = field(default_factory=set)
    state: str = "Succeeded"
    managed_by: str | None = None
    since: datetime | None = None
    """When a disk was last detached."""
    more: Json = field(default_factory=dict)
    """Further properties."""

    @property
    def key(self) -> str:
        return key(self.id)

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def is_group(self) -> bool:
        return self.kind == "group"


def _check_is_in(resource_id: str, subscription: Subscription) -> None:
    """Whoever asks names the subscription that it is in, as the port wants it."""
    assert key(resource_id).startswith(f"/subscriptions/{subscription.id}/")


class Ending(NamedTuple):
    """How a deletion goes: `answers` before Azure accepts it, then `looks` until it ends as `end` says.

    An answer is a fault, or `lost after`: accepted, and nobody is told. `end` is gone, failed or partly (gone). A
    quiet one shows no other state meanwhile; after it is gone it is still shown `lag` times.
    """

    answers: tuple[str, ...] = ()
    looks: int = 0
    end: str = "gone"
    quiet: bool = False
    lag: int = 0


class Look(NamedTuple):
    """What a GET has shown: the moment, and all that should have kept it."""

    at: datetime
    made: int
    target: Target
    why: frozenset[str]
    members: dict[str, datetime]
    """Since when there is what would go along, by key."""


class Deleted(NamedTuple):
    """A deletion that Azure has accepted, the last look before, and the run that was performed."""

    key: str
    made: int
    at: datetime
    looked: Look
    run: str


@dataclass
class AzureModel:
    """The ports Remover and Inventory over things in memory; `ModelEstate` is the port Estate."""

    clock: Clock
    count: int = 2
    things: dict[str, Thing] = field(default_factory=dict)
    script: dict[tuple[str, int], list[Callable[["AzureModel"], None]]] = field(default_factory=dict)
    """What happens at a call: by its place (`target KEY`, `locks SUBSCRIPTION` …) and its number there, from 0."""
    endings: dict[str, Ending] = field(default_factory=dict)
    proposed: list[str] = field(default_factory=list)
    """Ids that Resource Graph proposes to every rule besides those of its type."""
    missed: set[str] = field(default_factory=set)
    """Keys of what Resource Graph does not know."""
    graph_down: dict[str, str] = field(default_factory=dict)
    run: str = ""
    """What is performed, as a test says."""
    journal: list[Deleted] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    """Key and run of every DELETE that reached Azure."""
    looks: list[tuple[str, Look]] = field(default_factory=list)
    """Run and look, of every GET."""
    calls: Counter[str] = field(default_factory=Counter)
    on_delete: Callable[[Deleted], None] = lambda _: None
    after_delete: Callable[[], None] = lambda: None
    """Called when Azure has accepted a deletion, and nobody has been told yet."""
    snoozed: set[tuple[str, str]] = field(default_factory=set)
    """Rule and key of what somebody asked to be left alone with."""
    protected_groups: tuple[str, ...] = ("rg-core",)
    excluded: frozenset[str] = frozenset()
    """Types, in lower case, that are not in scope."""
    phantoms: int = 0
    """How many more of each kind the lists show, in groups of their own: what is gone since they were made."""
    raised: list[tuple[str, str]] = field(default_factory=list)
    """Run and place of every call that failed."""
    blind: list[str] = field(default_factory=list)
    """Keys of what was to be deleted without a look at it since it was asked for the last time."""
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By key and run, how often Azure said that it cannot delete something just now."""

    def __post_init__(self) -> None:
        self.mutex = threading.RLock()
        self.subs = {each.id: each for each in map(self._subscription, range(1, self.count + 1))}
        self.lock_since: dict[str, tuple[Lock, datetime | None]] = {}
        self.denial_since: dict[str, tuple[Denial, datetime | None]] = {}
        self.seen: dict[str, Look] = {}
        self._told_tags: dict[str, Tags] = {}
        self._leaving: dict[str, int] = {}
        self._failed: set[str] = set()
        self._shown: dict[str, tuple[Target, int]] = {}
        self._tries: Counter[str] = Counter()
        self._made = 0
        self._unlooked: set[str] = set()

    @staticmethod
    def _subscription(number: int) -> Subscription:
        return Subscription(f"00000000-0000-4000-8000-{number:012}", f"sub-{number}", "Enabled")

    # What there is

    def new_group(self, name: str = "rg-a", subscription: int = 1, age: float = 500, **more: Any) -> str:
        """Make a resource group of that age in days; return its id."""
        return self._make(
            f"/subscriptions/{[*self.subs][subscription - 1]}/resourceGroups/{name}", "group", GROUP_TYPE, age, **more
        )

    def put(self, group: str, kind: str, name: str, age: float = 500, **more: Any) -> str:
        """Make a resource; return its id."""
        type_ = KINDS[kind][0]
        namespace, *parts = type_.split("/")
        pairs = "/".join(f"{part}/{name if part is parts[-1] else f'{name}-of'}" for part in parts)
        return self._make(f"{group}/providers/{namespace}/{pairs}", kind, type_, age, **more)

    def _make(self, own: str, kind: str, type_: str, age: float, **more: Any) -> str:
        with self.mutex:
            self._made += 1
            created = self.clock() - timedelta(days=age)
            thing = Thing(own, type_, self._made, created, kind, **more)
            if kind == "disk" and thing.since is None:
                thing.since = created
            self.things[thing.key] = thing
            self._shown.pop(thing.key, None)
            return own

    def users(self, own: str) -> list[Thing]:
        """What uses it."""
        return [each for each in self.things.values() if own in each.uses]

    def within(self, own: str) -> list[Thing]:
        """What lies below it."""
        return [each for each in self.things.values() if each.key.startswith(f"{own}/")]

    def is_there(self, own: str, made: int) -> bool:
        """Whether that very thing exists, whatever has its name now."""
        present = self.things.get(key(own))
        return present is not None and present.made == made

    def why(self, own: str) -> frozenset[str]:
        """All that must keep it, of what whoever reads everything now has to see."""
        thing = self.things[own]
        group, now = self.things.get(group_key(own) or ""), self.clock()
        below = self.within(own)
        found = {f"snooze {rule}" for rule, name in self.snoozed if name == own}
        subscription = own.split("/")[2]
        tags = [self._told_tags.get(subscription, {}), *(each.tags for each in (thing, group, *below) if each)]
        if any(name.casefold() == "keep" and value != "false" for each in tags for name, value in each.items()):
            found.add("tag")
        for scope, since in [
            *((lock.scope, since) for lock, since in self.lock_since.values()),
            *((denial.scope, since) for denial, since in self.denial_since.values()),
        ]:
            other = key(scope)
            near = own == other or own.startswith(f"{other}/") or other.startswith(f"{own}/")
            if near and (since is None or now - since >= TRUSTED_FOR):
                found.add("lock")
        if any(each.managed_by for each in (thing, group) if each):
            found.add("managed")
        names = {each.key for each in below}
        if any(each.kind == "disk" and any(user.key not in names for user in self.users(each.key)) for each in below):
            found.add("managed")
        if any(each.type.lower() in self.excluded for each in (thing, *below)):
            found.add("scope")
        if group is None or group.name in self.protected_groups:
            found.add("name")
        if self.users(own):
            found.add("used")
        if thing.state != "Succeeded" or (group and group.state != "Succeeded"):
            found.add("state")
        return frozenset(found)

    # What others do

    def settle(self) -> None:
        """Let all locks be old."""
        self.lock_since = {name: (each, None) for name, (each, _) in self.lock_since.items()}
        self.denial_since = {name: (each, None) for name, (each, _) in self.denial_since.items()}

    def tag(self, own: str, name: str = "keep", value: str | None = "true") -> None:
        """Give a tag to a thing or a subscription."""
        if own in self.subs:
            self.subs[own] = msgspec.structs.replace(self.subs[own], tags={**self.subs[own].tags, name: value})
        elif thing := self.things.get(key(own)):
            thing.tags = {**thing.tags, name: value}

    def lock(self, scope: str) -> None:
        """Lock something."""
        made = Lock(f"{scope}/providers/Microsoft.Authorization/locks/l", "l", "CanNotDelete", scope)
        self.lock_since.setdefault(key(made.id), (made, self.clock()))

    def deny(self, scope: str) -> None:
        """Deny something."""
        made = Denial(f"{scope}/providers/Microsoft.Authorization/denyAssignments/d", "d", scope)
        self.denial_since.setdefault(key(made.id), (made, self.clock()))

    def attach(self, own: str) -> None:
        """Let something use it."""
        if (thing := self.things.get(key(own))) and not thing.is_group:
            user = "site" if thing.kind == "plan" else "nic" if thing.kind in ("nsg", "ip") else "vm"
            self.put(own[: own.lower().index("/providers/")], user, f"new-{self._made}", 0, uses={key(own)})

    def detach(self, own: str) -> None:
        """Let nothing use it any more."""
        for user in self.users(key(own)):
            user.uses = user.uses - {key(own)}
        if (thing := self.things.get(key(own))) and thing.kind == "disk":
            thing.since = self.clock()

    def touch(self, own: str) -> None:
        """Change what it is."""
        if thing := self.things.get(key(own)):
            thing.more = {**thing.more, "comment": str(len(self.calls) + len(self.sent))}

    def vanish(self, own: str) -> None:
        """Delete it, as somebody else does."""
        for each in [*self.within(key(own)), *filter(None, [self.things.get(key(own))])]:
            self.things.pop(each.key, None)
            self._leaving.pop(each.key, None)
            for user in self.users(each.key):
                user.uses = user.uses - {each.key}

    def recreate(self, own: str) -> None:
        """Make another thing of the same name, at once."""
        if thing := self.things.get(key(own)):
            self.vanish(own)
            self._make(own, thing.kind, thing.type, 0)

    def move(self, own: str, group: str) -> None:
        """Move a resource to another group."""
        if (thing := self.things.get(key(own))) and not thing.is_group and key(group) in self.things:
            rest = own[own.lower().index("/providers/") :]
            self.vanish(own)
            moved = replace(thing, id=f"{group}{rest}")
            self.things[moved.key] = moved

    # The port Remover

    def target(self, resource_id: str, subscription: Subscription, _: datetime | None = None, /) -> Target:
        _check_is_in(resource_id, subscription)
        with self.mutex:
            own = key(resource_id)
            self._happen(f"target {own}")
            self._step(own)
            if own in self._shown:
                ghost, left = self._shown.pop(own)
                if left > 1:
                    self._shown[own] = ghost, left - 1
                return ghost
            thing = self._present(own)
            shown = self._target(thing)
            self._unlooked.discard(own)
            self.seen[own] = Look(
                self.clock(), thing.made, shown, self.why(own), {each.key: each.created for each in self.within(own)}
            )
            self.looks.append((self.run, self.seen[own]))
            return shown

    def group(self, resource_id: str, subscription: Subscription) -> ResourceGroup | None:
        _check_is_in(resource_id, subscription)
        with self.mutex:
            self._happen(f"group {key(resource_id)}")
            return self._group(self._present(group_key(resource_id) or ""))

    def members(self, group_id: str) -> list[Resource]:
        with self.mutex:
            self._happen(f"members {key(group_id)}")
            self._present(key(group_id))
            return [self._resource(each) for each in self.within(key(group_id))]

    def locks(self, subscription: Subscription) -> list[Lock]:
        with self.mutex:
            self._happen(f"locks {subscription.id}")
            own = f"/subscriptions/{subscription.id}"
            return [each for each, _ in self.lock_since.values() if key(each.scope).startswith(own)]

    def denials(self, subscription: Subscription) -> list[Denial]:
        with self.mutex:
            self._happen(f"denials {subscription.id}")
            own = f"/subscriptions/{subscription.id}"
            return [each for each, _ in self.denial_since.values() if key(each.scope).startswith(own)]

    def items(self, path: str) -> list[dict[str, object]]:
        with self.mutex:
            self._happen(f"items {key(path)}")
            own, _, name = key(path).rpartition("/")
            if "deployment" in name:
                return []
            self._present(own)
            return [{"id": each.id} for each in self.users(own)]

    def template(self, group_id: str) -> dict[str, object]:
        with self.mutex:
            self._happen(f"template {key(group_id)}")
            self._present(key(group_id))
            return {"template": {"resources": [each.id for each in self.within(key(group_id))]}}

    def delete(self, resource_id: str, ready: Callable[[], None], /) -> Deletion:
        with self.mutex:
            own = key(resource_id)
            self._happen(f"delete {own}")
            ready()
            self.sent.append((own, self.run))
            if own in self._unlooked or own not in self.seen:
                self.blind.append(own)
            self._unlooked.add(own)
            ending = self.endings.get(own, Ending())
            answer = ending.answers[self._tries[own] :][:1]
            self._tries[own] += 1
            if answer and answer[0] in FAULTS:
                self.refused[own, self.run] += answer[0] in ("conflict", "throttled")
                raise made(answer[0])
            thing = self._present(own)
            self._check(thing)
            if own not in self._leaving:
                self._begin(thing, ending)
                self.after_delete()
            if answer:
                raise Unreachable("the answer got lost")
            leaving = own in self._leaving
            return Deletion(f"{own}#{thing.made}" if leaving or own in self._failed else None, 1.0 if leaving else 0.0)

    def follow(self, operation: str) -> Followed:
        with self.mutex:
            own = operation.partition("#")[0]
            self._happen(f"follow {own}")
            self._step(own)
            if own in self._leaving:
                return Followed(ended=False, operation=operation, wait=1.0)
            return Followed(ended=True, failed="it was rolled back" if own in self._failed else None)

    # The port Inventory

    def candidates(self, query: str, subscriptions: Collection[str]) -> Candidates:
        with self.mutex:
            [rule] = [each for each in RULES.values() if each.query == query]
            found: dict[str, list[str]] = {}
            for own in sorted(subscriptions):
                if own in self.graph_down:
                    self.raised.append((self.run, f"graph {own}"))
                else:
                    there = [each for each in self._in(self.subs[own], groups=False) if each.type.lower() in rule.types]
                    known = [each.id for each in there if each.key not in self.missed]
                    found[own] = [*known, *(each for each in self.proposed if own in each)]
            return Candidates(
                ids=found, unread={own: self.graph_down[own] for own in subscriptions if own not in found}
            )

    # Within

    def _happen(self, place: str) -> None:
        number = self.calls[place]
        self.calls[place] += 1
        try:
            for happening in self.script.get((place, number), ()):
                happening(self)
        except AzureError:
            self.raised.append((self.run, place))
            raise

    def _in(self, subscription: Subscription, *, groups: bool) -> list[Thing]:
        at = f"/subscriptions/{subscription.id}/"
        return [each for name, each in sorted(self.things.items()) if name.startswith(at) and each.is_group is groups]

    def _present(self, own: str) -> Thing:
        if own not in self.things:
            raise NotFound("404")
        return self.things[own]

    def _definition(self, thing: Thing) -> Json:
        properties: Json = {"provisioningState": thing.state, **thing.more}
        base: Mapping[str, Any] = {}
        if thing.kind in KINDS and KINDS[thing.kind][1]:
            base = _BASE[KINDS[thing.kind][1]]
            given = {name: value for name, value in base["properties"].items() if name not in _OWN}
            properties = {**given, **properties, **self._used(thing)}
            if thing.kind == "disk" and thing.since:
                properties["LastOwnershipUpdateTime"] = thing.since.isoformat()
        own = {"id": thing.id, "name": thing.name, "type": thing.type, "location": "westeurope"}
        owner = self._owner(thing)
        managed = {"managedBy": owner} if owner else {}
        return {**base, **own, **managed, "tags": thing.tags, "properties": properties}

    def _owner(self, thing: Thing) -> str | None:
        users = self.users(thing.key) if thing.kind == "disk" else []
        return users[0].id if users else thing.managed_by

    def _used(self, thing: Thing) -> Json:
        users = [{"id": each.id} for each in self.users(thing.key)]
        match thing.kind:
            case "plan":
                return {"numberOfSites": len(users)}
            case "disk" if users:
                return {"diskState": "Attached"}
            case "nic" if users:
                return {"virtualMachine": users[0]}
            case "nsg" if users:
                return {"networkInterfaces": users}
            case "ip" if users:
                return {"ipConfiguration": users[0]}
        return {}

    def _target(self, thing: Thing) -> Target:
        return Target(
            id=thing.id,
            name=thing.name,
            type=thing.type,
            kind=Kind.RESOURCE_GROUP if thing.is_group else Kind.RESOURCE,
            subscription_id=thing.id.split("/")[2],
            tags=dict(thing.tags),
            managed_by=self._owner(thing),
            created=thing.created,
            state=thing.state,
            definition=self._definition(thing),
        )

    def _group(self, thing: Thing) -> ResourceGroup:
        own = thing.id.split("/")[2]
        return ResourceGroup(
            id=thing.id,
            name=thing.name,
            subscription_id=own,
            subscription_name=self.subs[own].name,
            location="westeurope",
            tags=dict(thing.tags),
            managed_by=thing.managed_by,
            provisioning_state=thing.state,
            created=thing.created,
            resources=None,
        )

    def _resource(self, thing: Thing) -> Resource:
        return Resource(
            thing.id,
            thing.name,
            thing.type,
            tags=dict(thing.tags),
            managed_by=self._owner(thing),
            created_time=thing.created.isoformat(),
            given_state=thing.state,
        )

    def _check(self, thing: Thing) -> None:
        below = {thing.key, *(each.key for each in self.within(thing.key))}
        for lock, _ in self.lock_since.values():
            scope = key(lock.scope)
            if scope in below or f"{thing.key}/".startswith(f"{scope}/"):
                raise Rejected(f"ScopeLocked: {lock.scope}")
        for denial, _ in self.denial_since.values():
            if f"{thing.key}/".startswith(f"{key(denial.scope)}/"):
                raise AccessDenied("DenyAssignmentAuthorizationFailed")
        if any(user.key not in below for one in below for user in self.users(one)):
            raise Rejected("InUse")

    def _begin(self, thing: Thing, ending: Ending) -> None:
        self.journal.append(Deleted(thing.key, thing.made, self.clock(), self.seen[thing.key], self.run))
        self.on_delete(self.journal[-1])
        self._failed.discard(thing.key)
        self._leaving[thing.key] = ending.looks
        if not ending.quiet and ending.looks:
            thing.state = "Deleting"
        if ending.looks == 0:
            self._end(thing.key)

    def _step(self, own: str) -> None:
        if own in self._leaving:
            self._leaving[own] -= 1
            if self._leaving[own] <= 0:
                self._end(own)

    def _end(self, own: str) -> None:
        ending, thing = self.endings.get(own, Ending()), self.things[own]
        del self._leaving[own]
        if ending.end == "gone":
            shown = self._target(thing)
            self.vanish(own)
            if ending.lag:
                self._shown[own] = shown, ending.lag
            return
        thing.state = "Succeeded"
        self._failed.add(own)
        if ending.end == "partly":
            for each in self.within(own)[::2]:
                self.vanish(each.id)


class ModelEstate:
    """The port Estate over a model: everything in pages of three."""

    def __init__(self, model: AzureModel) -> None:
        self._model = model

    def subscriptions(self) -> list[Subscription]:
        with self._model.mutex:
            self._model._happen("subscriptions")
            self._model._told_tags = {each.id: each.tags for each in self._model.subs.values()}
            return list(self._model.subs.values())

    def subscriptions_under(self, management_group: str) -> frozenset[str]:
        raise AssertionError(f"no test here names a management group, such as {management_group}")

    def resource_groups(self, subscription: Subscription) -> Iterator[list[ResourceGroup]]:
        model = self._model
        return self._pages(
            "groups",
            subscription,
            lambda: [model._group(each) for each in (*model._in(subscription, groups=True), *self._gone(subscription))],
        )

    def resources(self, subscription: Subscription) -> Iterator[list[Resource]]:
        model = self._model
        return self._pages(
            "resources",
            subscription,
            lambda: [
                *map(model._resource, model._in(subscription, groups=False)),
                *(
                    Resource(f"{each.id}/providers/{type_}/one", "one", type_)
                    for each in self._gone(subscription)
                    for type_, _ in KINDS.values()
                ),
            ],
        )

    def locks(self, subscription: Subscription) -> Iterator[list[Lock]]:
        return self._pages("lock pages", subscription, lambda: self._model.locks(subscription))

    def types_without_tags(self, subscription: Subscription) -> frozenset[str]:  # noqa: ARG002
        return frozenset()

    def _gone(self, subscription: Subscription) -> Iterator[Thing]:
        for number in range(self._model.phantoms):
            own = f"/subscriptions/{subscription.id}/resourceGroups/rg-gone-{number}"
            yield Thing(own, GROUP_TYPE, 0, self._model.clock())

    def _pages[Item](
        self, name: str, subscription: Subscription, items: Callable[[], list[Item]]
    ) -> Iterator[list[Item]]:
        with self._model.mutex:
            self._model._happen(f"{name} {subscription.id}")
            found = items()
        for first in range(0, len(found), 3):
            yield found[first : first + 3]
        with self._model.mutex:
            self._model._happen(f"the end of {name} {subscription.id}")
