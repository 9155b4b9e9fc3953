"""An Azure behind HTTPS for properties of cleanup: the simulator, what others do there, and all that it has answered.

What must be respected is read from the simulator's own state and from the bytes it has sent, without a look at the code
under test. The names of what happens, of calls and of what is kept are those of `tests.azure_model`.
"""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple, cast

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from devkit.simulator import DenyAssignment, Estate, Fault, Lock, Resource, ResourceGroup, Simulator, Subscription
from devkit.simulator.exchange import Call, Reply
from devkit.simulator.faults import Faults
from devkit.simulator.graph_tables import Found, Tables
from devkit.simulator.holdings import Holdings
from devkit.simulator.model import Pages, provider_path
from devkit.simulator.routes import Route, route
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.estate import AzureEstate
from shared_code.azure_api.graph import ResourceGraph
from shared_code.azure_api.removals import AzureRemover
from shared_code.model import Kind
from shared_code.resource_ids import group_key, key
from shared_code.targets import Target
from tests.azure_api.conftest import Remembering
from tests.azure_model import KINDS, TRUSTED_FOR, Deleted, Look
from tests.cleanup import definition as unused
from tests.world import World

type Json = dict[str, Any]

GROUP_TYPE = "Microsoft.Resources/resourceGroups"
_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
_LISTED = {"locks": "locks", "deny-assignments": "denials", "resource-groups": "groups", "resources": "resources"}
"""Lists of a subscription by their routes, as scripts name them."""
_INSIDE = {"group-resources": "members", "export-template": "template"}

_IN_USE: dict[str, Json] = {
    "disk": {"diskState": "Reserved"},
    "nic": {"virtualMachine": {"id": "somewhere"}},
    "nsg": {"subnets": [{"id": "somewhere"}]},
    "ip": {"natGateway": {"id": "somewhere"}},
    "plan": {"numberOfSites": 3},
    "vm": {},
    "site": {},
    "account": {},
}

TROUBLE: tuple[Json, ...] = (
    *({"kind": "throttled", "retry_after": seconds} for seconds in (1, 4, 17, 600)),
    *({"kind": "status", "status": status} for status in (500, 502, 503, 504)),
    *({"kind": kind} for kind in ("reset", "cut", "cut-json", "html", "empty")),
    {"kind": "html", "status": 200},
    {"kind": "flat", "status": 500},
    {"kind": "capitals", "status": 503},
)
"""What passes, so that asking again may help."""
REFUSALS: tuple[Json, ...] = (
    *({"kind": kind} for kind in ("forbidden", "not-found", "expired-token", "error-in-200", "not-json")),
    {"kind": "status", "status": 404},
)
"""What does not, or not soon."""
ANSWERS: dict[str, Json] = {
    "quick": {"kind": "quick-delete"},
    "slow": {"kind": "slow-delete", "delay": 30},
    "slower than our patience": {"kind": "slow-delete", "delay": 400},
    "endless": {"kind": "endless-delete"},
    "failed": {"kind": "failed-delete", "delay": 20},
    "too late": {"kind": "timeout-delete", "delay": 20},
    "locked after all": {"kind": "locked-delete", "delay": 20},
    "shown for a minute": {"kind": "kept-delete", "delay": 60},
    "shown for an hour": {"kind": "kept-delete", "delay": 3600},
    "kept": {"kind": "kept-delete"},
    "lost from sight": {"kind": "lost-delete", "delay": 20},
    "odd words": {"kind": "odd-delete", "delay": 20},
    "signed": {"kind": "signed-delete", "delay": 20},
    "busy": {"kind": "busy-delete"},
    "nested": {"kind": "nested-delete"},
    "conflict": {"kind": "status", "status": 409},
    "throttled": {"kind": "throttled", "retry_after": 17},
    "throttled for long": {"kind": "throttled", "retry_after": 600},
    "forbidden": {"kind": "forbidden"},
    "signed out": {"kind": "expired-token"},
    **{f"done, and {status}": {"kind": "status", "status": status} for status in (500, 503)},
    **{f"done, and {kind}": {"kind": kind} for kind in ("reset", "cut", "html", "empty", "not-json", "error-in-200")},
}
"""How a DELETE is answered and goes on; those that begin with `done` take effect, and nobody is told so."""


class Storm(Faults):
    """Faults by script, and besides them some that strike of `rate` calls in a thousand.

    What strikes a call follows from the seed, the path and how often it was asked for, so that it is the same in
    whatever order threads ask.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(())
        self.rate = 0
        self._seed = seed
        self._calls: Counter[str] = Counter()

    def take(self, route: str, subscription: str, path: str, page: int, method: str = "GET") -> Fault | None:
        """Return what hits the call."""
        hit = super().take(route, subscription, path, page, method)
        if hit is not None or route in ("identity", "logs", "unknown"):
            return hit
        # The paths of operations have names that are drawn anew.
        place = f"{method} {route} {subscription}" if route.startswith("operation") else f"{method} {path} {page}"
        self._calls[place] += 1
        said = f"{self._seed} {place.casefold()} {self._calls[place]}".encode()
        drawn = int.from_bytes(blake2b(said, digest_size=8).digest())
        if drawn % 1000 >= self.rate:
            return None
        kinds = TROUBLE if drawn % 7 else REFUSALS
        if method == "DELETE":
            kinds = tuple(ANSWERS.values())
        return Fault(**kinds[drawn // 1000 % len(kinds)])


class Lost(NamedTuple):
    """What cannot be read for good: calls of a route in a subscription, or one page of a list."""

    route: str
    kind: str
    page: int = 0


class Telling(Simulator):
    """Tells of each call of Resource Manager before it is answered, and of its answer before anybody has it."""

    def __init__(self, *given: Any, calls: Callable[[Call], None], answers: Callable[[Call, Reply], None], **more: Any):
        super().__init__(*given, **more)
        self._calls = calls
        self._answers = answers

    async def _answer_arm(self, call: Call) -> Reply:
        self._calls(call)
        reply = await super()._answer_arm(call)
        self._answers(call, reply)
        return reply


class QuickTables(Tables):
    """The tables of Resource Graph, which answer a question about the same state once; they serve many simulators."""

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[tuple[str, tuple[int, ...]], Found] = {}

    def query(self, text: str, asked: Iterable[Holdings]) -> Found:
        held = list(asked)
        place = text, tuple(each.serial for each in held)
        if place not in self._found:
            self._found[place] = super().query(text, held)
        return self._found[place]

    def close(self) -> None:
        """Forget the answers; another simulator has other states."""
        self._found.clear()


_TABLES = QuickTables()


class SharedTime(World):
    """A world whose time several threads let pass; and the seconds that were slept of it, for those who pace."""

    mutex = threading.RLock()
    slept = 0.0

    def seconds(self) -> float:
        """The present moment, as Azure counts."""
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        with self.mutex:
            self.slept += seconds
            self.pass_time(seconds=seconds)

    def pass_time(self, **duration: float) -> None:
        with self.mutex:
            super().pass_time(**duration)


class Page(NamedTuple):
    """A page of a list that has arrived whole."""

    ids: tuple[str, ...]
    more: bool
    at: datetime
    number: int
    """Which answer it was."""


class Thing(NamedTuple):
    """A resource, or a resource group, as it is."""

    own: str
    group: ResourceGroup
    resource: Resource | None

    @property
    def whole(self) -> Resource | ResourceGroup:
        """Itself."""
        return self.resource or self.group

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self.whole.tags) if isinstance(self.whole.tags, dict) else {}

    @property
    def created(self) -> datetime:
        """Since when it has been there."""
        return datetime.fromisoformat(str(self.whole.created_time))

    @property
    def made(self) -> int:
        """What tells it from all others, of its name too: no two are made at one moment."""
        return (self.created - _SINCE) // timedelta(microseconds=1)


class Yard:
    """An Azure behind HTTPS, what others do there, and a record of what was asked and answered."""

    def __init__(self, world: SharedTime, subscriptions: Mapping[str, Pages], seed: int, **manners: Any) -> None:
        self.world = world
        self.run = ""
        self.script: dict[tuple[str, int], list[Callable[[Any], None]]] = {}
        self.calls: Counter[str] = Counter()
        self.looks: list[tuple[str, Look]] = []
        self.seen: dict[str, Look] = {}
        self.sent: list[tuple[str, str]] = []
        self.refused: Counter[tuple[str, str]] = Counter()
        self.blind: list[str] = []
        self.asked: list[Deleted] = []
        """Every DELETE that has come, with the last look before it."""
        self.journal: list[Deleted] = []
        """Those of them that Azure has accepted."""
        self.unguarded: list[str] = []
        """Keys of what was deleted though the last look at what guards it was older than the look at it."""
        self.on_delete: Callable[[Deleted], None] = lambda _: None
        self.pages: defaultdict[tuple[str, str], dict[int, Page]] = defaultdict(dict)
        """By run and list, its pages that have arrived whole."""
        self.last: dict[str, Page] = {}
        """By list, its last page that has arrived whole."""
        self.errors: list[Exception] = []
        self.excluded: frozenset[str] = frozenset()
        self.lag = timedelta(seconds=manners.get("lag", 0))
        self._looked: dict[str, int] = {}
        self._answered = 0
        self._made = 0
        self._since: dict[str, datetime | None] = {}
        self._told_tags: dict[str, dict[str, str]] = {}
        self._unlooked: set[str] = set()
        self._operations: dict[str, str] = {}
        self._records = 0
        empty = (
            Subscription(id=each, name=f"sub-{each[-1]}", group_pages=pages, resource_pages=pages, lock_pages=pages)
            for each, pages in subscriptions.items()
        )
        self.simulator = Telling(
            Estate(name="yard", subscriptions=tuple(empty)),
            calls=self._before,
            answers=self._after,
            clock=world.seconds,
            **manners,
        )
        self.simulator._graph._tables = _TABLES
        self.storm = Storm(seed)
        self.simulator.faults = self.storm

    @contextmanager
    def served(self) -> Iterator[None]:
        """Listen, and let the world look there with the product's own client."""
        with self.simulator as simulator, pytest.MonkeyPatch.context() as patch:
            for name, value in simulator.environment.items():
                patch.setenv(name, value)
            credential, audience = Remembering(), simulator.environment["STEWARD_ARM_AUDIENCE"]
            arm = Arm(simulator.url, audience, lambda: credential, self.world.sleep, lambda: self.world.slept)
            self.world.estate = cast(Any, AzureEstate(arm))
            self.world.remover, self.world.inventory = AzureRemover(arm), ResourceGraph(arm)
            yield
            if arm._client:
                # An app has one for as long as it lives; here is one for each of many.
                arm._client.close()

    # What there is

    def new_group(self, name: str, subscription: str, age: float) -> str:
        """Make a resource group of that age in days; return its id."""
        group = ResourceGroup(name=name, created_time=self._moment(age), tags={})
        held = self._held(subscription).subscription
        self.simulator.change(subscription, replace(held, resource_groups=(*held.resource_groups, group)))
        return f"/subscriptions/{subscription}/resourceGroups/{name}"

    def put(self, group: str, kind: str, name: str, age: float, more: Json | None = None, **fields: Any) -> str:
        """Make a resource; return its id."""
        type_, rule = KINDS[kind]
        created = self._moment(age)
        base = unused(rule) if rule else {"properties": {}}
        # Of another thing of its name, this is another one; each provider has something like it.
        told = base["properties"] | {"resourceGuid": f"guid-{self._made}"}
        # Its state is that of the resource.
        told = {
            name: value for name, value in told.items() if name not in ("networkSecurityGroup", "provisioningState")
        }
        own = f"{group}/providers/{provider_path(type_, name)}"
        if kind == "disk":
            told |= {"timeCreated": created, "LastOwnershipUpdateTime": created}
        for each in told.get("ipConfigurations", ()):
            each["id"] = f"{own}/ipConfigurations/{each['name']}"
        given = {name: base[name] for name in ("sku", "kind") if name in base}
        made = Resource(
            name=name,
            type=type_,
            location="westeurope",
            tags={},
            created_time=created,
            properties=told | (more or {}),
            **given,
            **fields,
        )
        self._put(own, made)
        return own

    def spare(self, subscription: str, groups: int = 4) -> None:
        """Make groups with one of each kind that is in use, so that what is not is only a share of all."""
        for number in range(groups):
            group = self.new_group(f"rg-spare-{number}", subscription, 500)
            for kind, told in _IN_USE.items():
                self.put(group, kind, f"spare-{kind}-{number}", 500, told)

    def find(self, own: str) -> Thing | None:
        """What has that id now."""
        parts = own.split("/")
        held = self._held(parts[2])
        group = held.group(parts[4])
        if group is None or len(parts) == 5:
            return Thing(group.id, group, None) if group else None
        resource = held.resource(parts[4], key(own))
        return Thing(resource.id, group, resource) if resource else None

    def is_there(self, own: str, made: int) -> bool:
        """Whether that very thing exists, whatever has its name now."""
        thing = self.find(own)
        return thing is not None and thing.made == made

    def within(self, own: str) -> list[Thing]:
        """What lies below it."""
        thing, above = self.find(own), f"{key(own)}/"
        inside = thing.group.resources if thing else ()
        return [Thing(each.id, thing.group, each) for each in inside if thing and key(each.id).startswith(above)]

    def users(self, own: str) -> list[str]:
        """The ids of what refers to it."""
        wanted = key(own)
        every = (each for one in self.simulator.estate.subscriptions for each in one.resources)
        return [each.id for each in every if key(each.id) != wanted and _refers(each.properties, wanted)]

    def why(self, own: str) -> frozenset[str]:
        """All that must keep it, of what whoever reads everything now has to see."""
        thing = self.find(own)
        if thing is None:
            raise AssertionError(f"{own} is not there")
        below, found = self.within(own), set()
        subscription = own.split("/")[2]
        mine = [self._told_tags.get(subscription, {}), thing.tags, Thing(own, thing.group, None).tags]
        mine += [each.tags for each in below if self._is_known(f"tag {key(each.own)}")]
        if any(name.casefold() == "keep" and value != "false" for tags in mine for name, value in tags.items()):
            found.add("tag")
        held = self._held(subscription).subscription
        for scope in (*(each.scope for each in held.locks), *(each.scope for each in held.deny_assignments)):
            other = key(scope)
            near = own == other or own.startswith(f"{other}/") or other.startswith(f"{own}/")
            if near and self._is_known(f"guard {other}"):
                found.add("lock")
        if thing.whole.managed_by or thing.group.managed_by:
            found.add("managed")
        for each in below:
            owner = each.whole.managed_by
            if owner and not key(str(owner)).startswith(f"{own}/") and self._is_known(f"owner {key(each.own)}"):
                found.add("managed")
        if any(each.resource and each.resource.type.lower() in self.excluded for each in (thing, *below)):
            found.add("scope")
        if thing.group.name == "rg-core":
            found.add("name")
        if thing.resource and self.users(own):
            found.add("used")
        states = [thing.group.provisioning_state, thing.resource.provisioning_state if thing.resource else "Succeeded"]
        if any(each != "Succeeded" for each in states):
            found.add("state")
        return frozenset(found)

    # What others do

    def settle(self) -> None:
        """Let all that protects be old, where lists do not lag behind."""
        if not self.lag:
            self._since = dict.fromkeys(self._since)

    def tag(self, own: str, name: str = "keep", value: str = "true") -> None:
        """Give a tag to a thing or a subscription."""
        if "/" not in own:
            held = self._held(own).subscription
            self.simulator.change(own, replace(held, tags={**held.tags, name: value}))
        elif thing := self.find(own):
            self._know(f"tag {key(own)}")
            self._replace(thing, tags={**thing.tags, name: value})

    def lock(self, scope: str) -> None:
        """Lock something."""
        held = self._held(scope.split("/")[2]).subscription
        self._know(f"guard {key(scope)}")
        if not any(key(each.scope) == key(scope) for each in held.locks):
            self.simulator.change(held.id, replace(held, locks=(*held.locks, Lock(name="l", scope=scope))))

    def deny(self, scope: str) -> None:
        """Deny something."""
        held = self._held(scope.split("/")[2]).subscription
        self._know(f"guard {key(scope)}")
        denied = DenyAssignment(name="d", id=f"d{len(held.deny_assignments)}", scope=scope)
        self.simulator.change(held.id, replace(held, deny_assignments=(*held.deny_assignments, denied)))

    def attach(self, own: str) -> None:
        """Let something use it."""
        thing = self.find(own)
        if thing is None or thing.resource is None:
            return
        place, name, link = own[: own.lower().index("/providers/")], f"new-{self._made}", {"id": own}
        match _kind_of(thing.resource):
            case "disk":
                user = self.put(place, "vm", name, 0, {"storageProfile": {"osDisk": {"managedDisk": link}}})
                self._know(f"owner {key(own)}")
                told = cast(Json, thing.resource.properties) | {"diskState": "Attached"}
                self._replace(thing, managed_by=user, properties=told)
            case "nic":
                self.put(place, "vm", name, 0, {"networkProfile": {"networkInterfaces": [link]}})
            case "nsg":
                self.put(place, "nic", name, 0, {"networkSecurityGroup": link})
            case "ip":
                part = {"name": "one", "properties": {"publicIPAddress": link}}
                self.put(place, "nic", name, 0, {"ipConfigurations": [part]})
            case "plan":
                self.put(place, "site", name, 0, {"serverFarmId": own})

    def detach(self, own: str) -> None:
        """Let nothing use it any more."""
        for user in self.users(own):
            self.vanish(user)
        thing = self.find(own)
        if thing and thing.resource and _kind_of(thing.resource) == "disk":
            now = {"diskState": "Unattached", "LastOwnershipUpdateTime": self._moment(0)}
            self._replace(thing, managed_by=UNSET, properties=cast(Json, thing.resource.properties) | now)

    def touch(self, own: str) -> None:
        """Change what it is."""
        thing = self.find(own)
        if thing and thing.resource:
            comment = {"comment": f"{self._answered} {len(self.sent)}"}
            self._replace(thing, properties=cast(Json, thing.resource.properties) | comment)
        elif thing:
            self.tag(own, "comment", str(self._answered))

    def vanish(self, own: str) -> None:
        """Delete it, as somebody else does."""
        thing = self.find(own)
        if thing is None:
            return
        changed: ResourceGroup | None = None
        if thing.resource:
            left = tuple(each for each in thing.group.resources if key(each.id) != key(own))
            changed = replace(thing.group, resources=left)
        self._update(own, thing.group, changed)

    def recreate(self, own: str) -> None:
        """Make another thing of the same name, at once."""
        thing = self.find(own)
        if thing is None:
            return
        self.vanish(own)
        parts = own.split("/")
        if thing.resource and self.lag:
            return  # Only lists tell when it was made, and they would still tell of the one before.
        if thing.resource:
            self.put("/".join(parts[:5]), _kind_of(thing.resource), parts[-1], 0)
        else:
            self.new_group(parts[4], parts[2], 0)

    def lose(self, lost: Iterable[Lost], subscriptions: Iterable[str]) -> None:
        """Let this be unreadable in these subscriptions, and forget all earlier faults."""
        self.storm.clear()
        for each in lost:
            for own in subscriptions:
                given: Json = {"route": each.route, "kind": each.kind, "page": each.page, "method": _asked_with(each)}
                self.storm.add(Fault(subscription=own, times=None, **given))

    def answer_delete(self, own: str, *names: str) -> None:
        """Answer the DELETEs of it so, one after the other."""
        for number, name in enumerate(names, 1):
            self.storm.add(Fault(route=own, method="DELETE", nth=number, **ANSWERS[name]))

    # What was asked and answered

    def _before(self, call: Call) -> None:
        asked = route(call.path)
        place = self._place(call, asked)
        number = self.calls[place]
        self.calls[place] += 1
        with self._noted():
            for happening in self.script.get((place, number), ()):
                happening(self)
        if call.method == "DELETE":
            own = key(call.path)
            self.sent.append((own, self.run))
            if own in self._unlooked or own not in self.seen:
                self.blind.append(own)
            self._unlooked.add(own)
            if look := self.seen.get(own):
                self.asked.append(Deleted(own, look.made, self.world.now, look, self.run))
            self._records = len(self.simulator.deletions)

    def _after(self, call: Call, reply: Reply) -> None:
        self._answered += 1
        with self._noted():
            asked, document = route(call.path), _document(reply)
            if call.method == "DELETE":
                self._take_deletion(call, reply)
            elif document is None:
                return
            elif asked.name in ("resource", "resource-group") and "id" in document:
                self._take_look(call, document)
            elif "value" in document:
                self._take_page(call, asked, document)

    def _take_look(self, call: Call, document: Json) -> None:
        own = key(call.path)
        thing = self.find(own)
        if thing is None:
            raise AssertionError(f"{own} was shown, and is not there")
        kind = Kind.RESOURCE if thing.resource else Kind.RESOURCE_GROUP
        shown = Target(
            id=thing.own,
            name=document["name"],
            type=document["type"],
            kind=kind,
            subscription_id=own.split("/")[2],
            created=thing.created,
            definition=document,
        )
        now = self.world.now
        # What came so late that lists need not show it yet is nobody's fault.
        inside = {key(each.own): each.created for each in self.within(own) if each.created <= now - self._late}
        self.seen[own] = Look(now, thing.made, shown, self.why(own), inside)
        self.looks.append((self.run, self.seen[own]))
        self._looked[own] = self._answered
        self._unlooked.discard(own)

    def _take_page(self, call: Call, asked: Route, document: Json) -> None:
        if asked.name == "subscriptions":
            self._told_tags |= {each["subscriptionId"]: each.get("tags") or {} for each in document["value"]}
        name = self._place(call, asked)
        ids = tuple(key(str(each.get("id", ""))) for each in document["value"])
        page = Page(ids, bool(document.get("nextLink")), self.world.now, self._answered)
        _, number = self.simulator._manager.place(call, asked)
        self.pages[self.run, name][number] = page
        if not page.more:
            self.last[name] = page

    def _take_deletion(self, call: Call, reply: Reply) -> None:
        own = key(call.path)
        self.refused[own, self.run] += reply.status in (409, 429) and not reply.reset
        told = self.simulator.deletions
        if len(told) == self._records or told[-1].outcome in ("refused", "missing", "running"):
            return
        for name in ("Azure-AsyncOperation", "Location"):
            self._operations[reply.headers.get(name, "").partition("?")[0]] = own
        deleted = self.asked[-1]
        look = deleted.looked
        self.journal.append(deleted)
        subscription = own.split("/")[2]
        for name in ("locks", "denials"):
            page = self.last.get(f"{name} {subscription}")
            if page is None or page.at < look.at - TRUSTED_FOR:
                self.unguarded.append(own)
        if look.target.kind is Kind.RESOURCE_GROUP:
            page = self.last.get(f"members {own}")
            if page is None or page.number < self._looked[own]:
                self.unguarded.append(own)
        self.on_delete(deleted)

    def is_read(self, run: str, name: str) -> bool:
        """Whether a list has arrived whole while the run was performed."""
        found = self.pages[run, name]
        number = 1
        while number in found and found[number].more:
            number += 1
        return number in found

    def listed(self, run: str, name: str) -> set[str]:
        """The keys of all that a list has shown while the run was performed."""
        return {own for page in self.pages[run, name].values() for own in page.ids}

    def _place(self, call: Call, asked: Route) -> str:
        if call.method == "DELETE":
            return f"delete {key(call.path)}"
        if asked.name in _LISTED and not asked.group:
            return f"{_LISTED[asked.name]} {asked.subscription}"
        if asked.name in _INSIDE:
            return f"{_INSIDE[asked.name]} {group_key(call.path)}"
        if asked.name in ("resource", "resource-group"):
            return f"target {key(call.path)}"
        if asked.name == "children":
            return f"items {key(call.path)}"
        if asked.name.startswith("operation"):
            return f"follow {self._operations.get(f'{self.simulator.url}{call.target.partition("?")[0]}', '')}"
        return str(asked.name)

    # Within

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Keep what goes wrong here for the test, and away from the server."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # the test raises it
            self.errors.append(error)

    @property
    def _late(self) -> timedelta:
        """How old what only lists tell may be."""
        return self.lag + TRUSTED_FOR

    def _is_known(self, what: str) -> bool:
        since = self._since.get(what)
        return since is None or self.world.now - since >= self._late

    def _know(self, what: str) -> None:
        self._since.setdefault(what, self.world.now)

    def _moment(self, age: float) -> str:
        self._made += 1
        return (self.world.now - timedelta(days=age, microseconds=self._made)).isoformat()

    def _held(self, subscription: str) -> Holdings:
        held = self.simulator._state.present(subscription)
        if held is None:
            raise AssertionError(f"there is no subscription {subscription}")
        return held

    def _put(self, own: str, made: Resource) -> None:
        thing = self.find("/".join(own.split("/")[:5]))
        if thing is None:
            return
        others = tuple(each for each in thing.group.resources if key(each.id) != key(own))
        self._update(own, thing.group, replace(thing.group, resources=(*others, replace(made, id=own))))

    def _replace(self, thing: Thing, **fields: Any) -> None:
        if thing.resource:
            self._put(thing.own, replace(thing.resource, **fields))
        else:
            self._update(thing.own, thing.group, replace(thing.group, **fields))

    def _update(self, own: str, group: ResourceGroup, changed: ResourceGroup | None) -> None:
        self.simulator._state.update(own.split("/")[2], lambda now: now.with_groups({group.name: changed}))


def _asked_with(lost: Lost) -> str:
    return "POST" if lost.route in ("resource-graph", "export-template") else "GET"


def _kind_of(resource: Resource) -> str:
    return next(name for name, (type_, _) in KINDS.items() if type_.lower() == resource.type.lower())


def _refers(node: Any, own: str) -> bool:
    if isinstance(node, str):
        return f"{node.casefold()}/".startswith(f"{own}/")
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(_refers(each, own) for each in inner)


def _document(reply: Reply) -> Json | None:
    """The object that has arrived whole with an answer of 200; None where it has not."""
    if reply.status != 200 or reply.cut or reply.reset:
        return None
    try:
        document = json.loads(reply.plain.body)
    except ValueError:
        return None
    return document if isinstance(document, dict) and "error" not in document else None
