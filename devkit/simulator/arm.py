"""Answers for Resource Manager: subscriptions, groups, resources, locks and tags; tags are written, things deleted."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from msgspec.structs import replace

from devkit.simulator import errors, locks, tagging
from devkit.simulator.access import Access
from devkit.simulator.actions import action_of
from devkit.simulator.cache import PageCache
from devkit.simulator.children import children
from devkit.simulator.deletes import Deletes
from devkit.simulator.deletions import Deletions
from devkit.simulator.denials import denials
from devkit.simulator.descendants import descendants, management_group
from devkit.simulator.exchange import Call, Reply, json_reply
from devkit.simulator.faults import Fault
from devkit.simulator.filters import InvalidFilter, parse_filter
from devkit.simulator.holdings import Holdings
from devkit.simulator.identity import PRINCIPAL
from devkit.simulator.model import (
    Pages,
    RecordedList,
    Resource,
    ResourceGroup,
    Subscription,
    spelled_in_group,
)
from devkit.simulator.operations import Operations
from devkit.simulator.paging import BAIT, InvalidSkipToken, page, page_number
from devkit.simulator.playback import Playback, recorded_group
from devkit.simulator.providers import providers
from devkit.simulator.refusals import Refused
from devkit.simulator.routes import Route
from devkit.simulator.shapes import (
    FIRST_VERSION_WITH_TENANTS,
    InvalidParameter,
    hidden_fields,
    one_resource,
    shown_group,
    shown_subscription,
)
from devkit.simulator.stacks import stacks
from devkit.simulator.state import State
from devkit.simulator.tag_writes import Lateness, TagWrites
from devkit.simulator.templates import Templates

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_API_VERSION = re.compile(r"\d{4}-\d\d-\d\d(-\w+)?")


class ResourceManager:
    """Answers calls about one estate; `base_url` is what nextLinks begin with."""

    def __init__(
        self,
        state: State,
        base_url: str,
        deletions: Deletions | None = None,
        delete_time: float = 0,
        access: Access | None = None,
    ) -> None:
        self._state = state
        self._access = access or Access(state)
        self._base_url = base_url
        self._playback = Playback(state.estate, base_url)
        self._cache = PageCache()
        self._operations = Operations(base_url)
        self._tags = TagWrites(state, self._operations)
        self._deletions = deletions or Deletions()
        self._deletes = Deletes(state, self._operations, self._deletions, delete_time)
        self._templates = Templates(state, self._operations, delete_time)

    def place(self, call: Call, route: Route) -> tuple[str, int]:
        """The id of the subscription a call is about, and the number of the page it asks for, from 1."""
        return self._playback.place(call.target) or (route.subscription, page_number(call))

    def answer(self, call: Call, route: Route, late: Lateness | None = None, fault: Fault | None = None) -> Reply:
        """The answer to an authorised call; a write of tags is done at once, unless it is late.

        How a delete ends, `fault` may say.
        """
        try:
            return self._answer(call, route, late, fault)
        except InvalidFilter as error:
            return errors.invalid_filter(str(error))
        except InvalidSkipToken as error:
            return errors.invalid_parameter("$skiptoken", str(error))
        except InvalidParameter as error:
            return errors.invalid_parameter(error.name, error.value)
        except (tagging.TagsRefused, Refused) as error:
            return error.reply

    def _answer(self, call: Call, route: Route, late: Lateness | None, fault: Fault | None) -> Reply:
        recorded = self._playback.following(call.target)
        if recorded is not None:
            return json_reply(recorded)
        if not _API_VERSION.fullmatch(call.query.get("api-version", "")):
            return errors.missing_api_version()
        if "$skiptoken" in call.query and f"//{call.host}" != self._base_url.partition(":")[2]:
            return json_reply({"value": [BAIT]})
        if route.name != "unknown" and call.method not in _METHODS[route.name]:
            return errors.method_not_allowed(call.method)
        if route.name == "subscriptions":
            return self._subscriptions(call)
        if route.name == "management-group-descendants":
            return self._descendants(call, route)
        if route.subscription and not _GUID.fullmatch(route.subscription):
            return errors.invalid_subscription_id(route.subscription)
        present, listed = self._state.present(route.subscription), self._state.listed(route.subscription)
        if route.subscription and present is None:
            return errors.subscription_not_found(route.subscription)
        if present is None or listed is None or route.name == "unknown":
            return errors.invalid_resource_type(call.path, call.query["api-version"])
        if refusal := self._access.refusal(call, route):
            return _for_method(call, refusal)
        if call.method in ("GET", "HEAD"):
            return self._within(present, listed, call, route)
        return self._done(present, call, route, late, fault)

    def _done(self, present: Holdings, call: Call, route: Route, late: Lateness | None, fault: Fault | None) -> Reply:
        """What a call is answered with that asks for more than to be told."""
        if present.subscription.recorded:
            return errors.method_not_allowed(call.method)
        if route.name in ("resource", "resource-group") and call.method == "DELETE":
            return self._deletes.delete(call, route, fault)
        if route.name == "export-template":
            return self._templates.export(present, call, route)
        return self._tags.write(present, call, route, late)

    def _within(  # noqa: C901  # one line for each route is simpler than a table of functions with different arguments
        self, present: Holdings, listed: Holdings, call: Call, route: Route
    ) -> Reply:
        subscription = present.subscription
        if route.name == "subscription":
            return json_reply(shown_subscription(subscription, call))
        if route.name in ("operation", "operation-result"):
            return self._operations.answer(call, route)
        if route.name == "permissions":
            return json_reply({"value": self._access.permissions(route.scope)})
        if subscription.recorded:
            return self._within_recorded(subscription.recorded, call, route)
        if route.name == "resource-groups":
            return self._cached(call, listed, lambda: self._groups(listed, call))
        if route.name == "resources":
            return self._cached(call, listed, lambda: self._resources(listed, call))
        if route.name in ("deleted-vaults", "deleted-vault"):
            return self._vaults(subscription, call, route)
        if route.name == "providers":
            return self._cached(call, listed, lambda: self._providers(listed, call))
        if route.name == "provider":
            return self._provider(listed, call, route)
        group = present.group(route.group)
        if route.group and group is None:
            return _for_method(call, errors.group_not_found(route.group))
        if route.name == "locks":
            return self._locks(listed.subscription, call, route)
        if route.name == "lock":
            return _lock(subscription, route)
        if route.name == "tags":
            return self._tags.read(present, route)
        if route.name == "deny-assignments":
            return self._page(list(denials(subscription, route.scope)), Pages(size=2), call, lambda shown: shown)
        if route.name == "deployment-stacks":
            return self._page(list(stacks(subscription, route.group)), Pages(), call, lambda shown: shown)
        if route.name == "deployments":
            return json_reply({"value": []})  # nothing is ever deployed here
        if group is None:
            return errors.invalid_resource_type(call.path, call.query["api-version"])
        if route.name == "group-resources":
            return self._cached(call, listed, lambda: self._group_resources(listed, route.group, call))
        if route.name == "children":
            return self._page(children(present, group, route), Pages(), call, lambda shown: shown)
        if route.name == "resource":
            return _for_method(call, _one_resource(present, group, route))
        return _for_method(call, json_reply(shown_group(group, call)))

    def _within_recorded(self, recorded: RecordedList, call: Call, route: Route) -> Reply:
        of_subscription = route.name == "locks" and "/" not in route.scope.strip("/").partition("/")[2]
        if route.name == "resource-groups" or route.name == "resources" or (route.name == "locks" and of_subscription):
            if "$skiptoken" in call.query:
                # Not the nextLink that was handed out; the first page again would send the client round in circles.
                raise InvalidSkipToken(call.query["$skiptoken"])
            return json_reply(self._playback.first_page(recorded, route.name))
        if not route.group:
            return errors.invalid_resource_type(call.path, call.query["api-version"])
        group = recorded_group(recorded, route.group)
        if group is None:
            return _for_method(call, errors.group_not_found(route.group))
        if route.name in ("group-resources", "locks"):
            return json_reply({"value": []})
        if route.name == "resource-group":
            return _for_method(call, json_reply(group))
        return _for_method(call, errors.resource_not_found(route.scope, route.group))

    def _providers(self, listed: Holdings, call: Call) -> Reply:
        subscription = listed.subscription
        found = providers(subscription.id, (each.type for each in subscription.resources))
        return self._page(found, Pages(), call, lambda item: item)

    def _provider(self, listed: Holdings, call: Call, route: Route) -> Reply:
        subscription = listed.subscription
        for each in providers(subscription.id, (each.type for each in subscription.resources)):
            if str(each["namespace"]).casefold() == route.name_in_scope.casefold():
                return json_reply(each)
        return errors.invalid_resource_type(call.path, call.query["api-version"])

    def _cached(self, call: Call, holdings: Holdings, make: Callable[[], Reply]) -> Reply:
        # The target has the path's spelling, the query and the place in the list; the serial stands for the items.
        key = (call.target, holdings.serial, call.takes_gzip, self._access.serial)
        reply = self._cache.get(key)
        if reply is None:
            reply = make()
            if call.takes_gzip:
                reply = reply.packed
            self._cache.put(key, reply)
        return reply

    def _page(
        self,
        items: Sequence[Any],
        pages: Pages,
        call: Call,
        render: Callable[[Any], Any],
        shows: Callable[[Any], bool] = lambda _: True,
    ) -> Reply:
        answer = page(items, pages, call, self._base_url, _top(call))
        if "value" in answer:
            # Azure leaves out what may not be read from each page, which may so become empty.
            answer["value"] = [render(item) for item in answer["value"] if shows(item)]
        return json_reply(answer)

    def _subscriptions(self, call: Call) -> Reply:
        found = [each for each in self._state.subscriptions() if self._access.lists(each)]
        answer = page(found, self._state.pages, call, self._base_url, None)
        if "value" in answer:
            answer["value"] = [shown_subscription(each, call) for each in answer["value"]]
        if call.query["api-version"] >= FIRST_VERSION_WITH_TENANTS:
            answer["count"] = {"type": "Total", "value": len(found)}
        return json_reply(answer)

    def _descendants(self, call: Call, route: Route) -> Reply:
        estate = self._state.estate
        if not estate.management_groups:
            return errors.management_group_not_found(route.scope)
        group = management_group(estate, route.name_in_scope)
        if refusal := self._access.refusal(call, route):
            return refusal
        if group is None:  # whoever may read all of them is told the same
            return errors.forbidden(action_of(call.method, call.path), route.scope, PRINCIPAL)
        return self._page(list(descendants(estate, group)), estate.descendant_pages, call, lambda entry: entry)

    def _groups(self, holdings: Holdings, call: Call) -> Reply:
        subscription = holdings.subscription
        wanted = parse_filter(call.query.get("$filter", ""), of_groups=True)
        items: Sequence[ResourceGroup] = subscription.resource_groups
        if wanted.clauses:
            items = [group for group in items if wanted.takes_group(group)]
        return self._page(
            items, subscription.group_pages, call, lambda group: shown_group(group, call), self._access.shows_group
        )

    def _resources(self, holdings: Holdings, call: Call) -> Reply:
        subscription = holdings.subscription
        wanted = parse_filter(call.query.get("$filter", ""), of_groups=False)

        def taken() -> Iterator[Resource]:
            for group in subscription.resource_groups:
                yield from (each for each in group.resources if wanted.takes_resource(each, group))

        items = holdings.kept(wanted, taken) if wanted.clauses else holdings.resources
        hidden = hidden_fields(call, by_tag=wanted.by_tag)
        return self._page(
            items, subscription.resource_pages, call, lambda each: replace(each, **hidden), self._access.shows
        )

    def _group_resources(self, holdings: Holdings, group_name: str, call: Call) -> Reply:
        wanted = parse_filter(call.query.get("$filter", ""), of_groups=False)
        group = holdings.group(group_name)
        items = [each for each in group.resources if wanted.takes_resource(each, group)] if group else []
        hidden = hidden_fields(call, by_tag=wanted.by_tag)

        def render(resource: Resource) -> Resource:
            return replace(spelled_in_group(resource, group) if group else resource, **hidden)

        return self._page(items, holdings.subscription.resource_pages, call, render, self._access.shows)

    def _vaults(self, subscription: Subscription, call: Call, route: Route) -> Reply:
        found = self._deletions.vaults(subscription.id)
        if route.name == "deleted-vaults":
            return self._page(found, Pages(), call, lambda shown: shown)
        wanted = call.path.rstrip("/").casefold()
        shown = next((each for each in found if each["id"].casefold() == wanted), None)
        return json_reply(shown) if shown else errors.deleted_vault_not_found(route.name_in_scope)

    def _locks(self, subscription: Subscription, call: Call, route: Route) -> Reply:
        found = locks.locks_concerning(subscription, route.scope)
        return self._page(found, subscription.lock_pages, call, locks.rendered)


_METHODS: dict[str, tuple[str, ...]] = {
    "subscriptions": ("GET",),
    "subscription": ("GET",),
    "resource-groups": ("GET",),
    "resource-group": ("GET", "HEAD", "PATCH", "DELETE"),
    "resources": ("GET",),
    "group-resources": ("GET",),
    "resource": ("GET", "HEAD", "PATCH", "DELETE"),
    "children": ("GET",),
    "locks": ("GET",),
    "lock": ("GET",),
    "tags": ("GET", "PUT", "PATCH", "DELETE"),
    "operation": ("GET",),
    "operation-result": ("GET",),
    "deny-assignments": ("GET",),
    "permissions": ("GET",),
    "deployment-stacks": ("GET",),
    "deleted-vaults": ("GET",),
    "deleted-vault": ("GET",),
    "export-template": ("POST",),
    "providers": ("GET",),
    "provider": ("GET",),
    "deployments": ("GET",),
    "management-group-descendants": ("GET",),
}


def _one_resource(holdings: Holdings, group: ResourceGroup, route: Route) -> Reply:
    found = holdings.resource(route.group, route.scope)
    if found is None:
        return errors.resource_not_found(route.scope, route.group)
    return json_reply(one_resource(found, group, holdings.definitions.properties(found, group)))


def _lock(subscription: Subscription, route: Route) -> Reply:
    wanted = f"{route.scope}/{route.name_in_scope}".casefold()
    for lock in subscription.locks:
        if unquote(f"{lock.scope}/{lock.name}").casefold() == wanted:
            return json_reply(locks.rendered(lock))
    return errors.lock_not_found(route.name_in_scope)


def _top(call: Call) -> int | None:
    text = call.query.get("$top")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise InvalidParameter("$top", text)
    return int(text)


def _for_method(call: Call, reply: Reply) -> Reply:
    """The answer as it is; to HEAD without a body, and 204 where GET has 200 (oddity 51)."""
    if call.method != "HEAD":
        return reply
    headers = {name: value for name, value in reply.headers.items() if name != "Content-Type"}
    return Reply(status=204 if reply.status == 200 else reply.status, headers=headers)
