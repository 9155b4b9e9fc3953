"""Answers for Resource Manager: subscriptions, resource groups and resources, read only."""

import re
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from devkit.simulator import errors
from devkit.simulator.exchange import Call, Reply, json_reply
from devkit.simulator.filters import InvalidFilter, parse_filter
from devkit.simulator.model import (
    Estate,
    Json,
    RecordedList,
    Resource,
    ResourceGroup,
    Subscription,
    spelled_in_group,
)
from devkit.simulator.paging import BAIT, InvalidSkipToken, page, page_number
from devkit.simulator.playback import Playback, recorded_group
from devkit.simulator.routes import Route

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_API_VERSION = re.compile(r"\d{4}-\d\d-\d\d(-\w+)?")
_EXPANDED = {"createdtime": "created_time", "changedtime": "changed_time", "provisioningstate": "provisioning_state"}
# Recorded groups have a `type` from 2019-10-01 on, and none up to this version (oddity 18).
_LAST_VERSION_WITHOUT_TYPE = "2018-05-01"
# Recorded subscriptions have tenantId, managedByTenants and the list a count from this version on (oddity 65).
_FIRST_VERSION_WITH_TENANTS = "2019-06-01"


class ResourceManager:
    """Answers calls about one estate; `base_url` is what nextLinks begin with."""

    def __init__(self, estate: Estate, base_url: str) -> None:
        self.estate = estate
        self._base_url = base_url
        self._playback = Playback(estate, base_url)

    def place(self, call: Call, route: Route) -> tuple[str, int]:
        """The id of the subscription a call is about, and the number of the page it asks for, from 1."""
        return self._playback.place(call.target) or (route.subscription, page_number(call))

    def answer(self, call: Call, route: Route) -> Reply:
        """The answer to an authorised call."""
        try:
            return self._answer(call, route)
        except InvalidFilter as error:
            return errors.invalid_filter(str(error))
        except InvalidSkipToken as error:
            return errors.invalid_parameter("$skiptoken", str(error))
        except InvalidParameter as error:
            return errors.invalid_parameter(error.name, error.value)

    def _answer(self, call: Call, route: Route) -> Reply:
        recorded = self._playback.following(call.target)
        if recorded is not None:
            return _with_budget(json_reply(recorded), route)
        if not _API_VERSION.fullmatch(call.query.get("api-version", "")):
            return errors.missing_api_version()
        if "$skiptoken" in call.query and f"//{call.host}" != self._base_url.partition(":")[2]:
            return json_reply({"value": [BAIT]})
        if route.name != "unknown" and call.method not in _METHODS[route.name]:
            return errors.method_not_allowed(call.method)
        if route.name == "subscriptions":
            return _with_budget(self._subscriptions(call), route)
        if route.subscription and not _GUID.fullmatch(route.subscription):
            return errors.invalid_subscription_id(route.subscription)
        subscription = self.estate.subscription(route.subscription)
        if route.subscription and subscription is None:
            return errors.subscription_not_found(route.subscription)
        if subscription is None or route.name == "unknown":
            return errors.invalid_resource_type(call.path, call.query["api-version"])
        return _with_budget(self._within(subscription, call, route), route)

    def _within(self, subscription: Subscription, call: Call, route: Route) -> Reply:
        if route.name == "subscription":
            return json_reply(_subscription(subscription, call))
        if subscription.recorded:
            return self._within_recorded(subscription.recorded, call, route)
        if route.name == "resource-groups":
            return self._groups(subscription, call)
        if route.name == "resources":
            return self._resources(subscription, call)
        group = subscription.group(route.group)
        if group is None:
            return _for_method(call, errors.group_not_found(route.group))
        if route.name == "group-resources":
            return self._group_resources(subscription, group, call)
        return _for_method(call, json_reply(_group(group, call)))

    def _within_recorded(self, recorded: RecordedList, call: Call, route: Route) -> Reply:
        if route.name == "resource-groups" or route.name == "resources":
            if "$skiptoken" in call.query:
                # Not the nextLink that was handed out; the first page again would send the client round in circles.
                raise InvalidSkipToken(call.query["$skiptoken"])
            return json_reply(self._playback.first_page(recorded, route.name))
        group = recorded_group(recorded, route.group)
        if group is None:
            return _for_method(call, errors.group_not_found(route.group))
        if route.name == "group-resources":
            return json_reply({"value": []})
        return _for_method(call, json_reply(group))

    def _subscriptions(self, call: Call) -> Reply:
        items = [_subscription(each, call) for each in self.estate.subscriptions]
        answer = page(items, self.estate.subscription_pages, call, self._base_url, None)
        if call.query["api-version"] >= _FIRST_VERSION_WITH_TENANTS:
            answer["count"] = {"type": "Total", "value": len(items)}
        return json_reply(answer)

    def _groups(self, subscription: Subscription, call: Call) -> Reply:
        wanted = parse_filter(call.query.get("$filter", ""), of_groups=True)
        items = [_group(group, call) for group in subscription.resource_groups if wanted.takes_group(group)]
        return json_reply(page(items, subscription.group_pages, call, self._base_url, _top(call)))

    def _resources(self, subscription: Subscription, call: Call) -> Reply:
        wanted = parse_filter(call.query.get("$filter", ""), of_groups=False)
        items = [
            _resource(resource, call, by_tag=wanted.by_tag)
            for group in subscription.resource_groups
            for resource in group.resources
            if wanted.takes_resource(resource, group)
        ]
        return json_reply(page(items, subscription.resource_pages, call, self._base_url, _top(call)))

    def _group_resources(self, subscription: Subscription, group: ResourceGroup, call: Call) -> Reply:
        wanted = parse_filter(call.query.get("$filter", ""), of_groups=False)
        items = [
            _resource(spelled_in_group(resource, group), call, by_tag=wanted.by_tag)
            for resource in group.resources
            if wanted.takes_resource(resource, group)
        ]
        return json_reply(page(items, subscription.resource_pages, call, self._base_url, _top(call)))


class InvalidParameter(ValueError):
    """A query parameter that cannot be understood."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"{name}={value}")
        self.name = name
        self.value = value


_METHODS: dict[str, tuple[str, ...]] = {
    "subscriptions": ("GET",),
    "subscription": ("GET",),
    "resource-groups": ("GET",),
    "resource-group": ("GET", "HEAD"),
    "resources": ("GET",),
    "group-resources": ("GET",),
}


def _subscription(subscription: Subscription, call: Call) -> Json:
    tenants = call.query["api-version"] >= _FIRST_VERSION_WITH_TENANTS
    return _present(
        id=f"/subscriptions/{subscription.id}",
        authorizationSource=subscription.authorization_source,
        managedByTenants=subscription.managed_by_tenants if tenants else UNSET,
        subscriptionId=subscription.id,
        tenantId=subscription.tenant_id if tenants else UNSET,
        displayName=subscription.name,
        state=subscription.state,
        subscriptionPolicies=subscription.policies,
    )


def _group(group: ResourceGroup, call: Call) -> Json:
    expanded = _expanded(call)
    typed = call.query["api-version"][:10] > _LAST_VERSION_WITHOUT_TYPE
    return _present(
        id=group.id,
        name=group.name,
        type="Microsoft.Resources/resourceGroups" if typed else UNSET,
        location=group.location,
        managedBy=group.managed_by,
        createdTime=group.created_time if "created_time" in expanded else UNSET,
        changedTime=group.changed_time if "changed_time" in expanded else UNSET,
        tags=group.tags,
        properties={"provisioningState": group.provisioning_state},
    )


def _resource(resource: Resource, call: Call, *, by_tag: bool) -> Resource:
    """The resource as listed: times and state only when expanded, and neither they nor tags in a list by tag."""
    expanded = set() if by_tag else _expanded(call)
    hidden: dict[str, Any] = {field: UNSET for field in _EXPANDED.values() if field not in expanded}
    if by_tag:
        hidden["tags"] = UNSET
    return replace(resource, **hidden)


def _present(**fields: Any) -> Json:
    return {key: value for key, value in fields.items() if value is not UNSET}


def _expanded(call: Call) -> set[str]:
    text = call.query.get("$expand", "")
    names = [name.strip().casefold() for name in text.split(",") if name.strip()]
    if any(name not in _EXPANDED for name in names):
        raise InvalidParameter("$expand", text)
    return {_EXPANDED[name] for name in names}


def _top(call: Call) -> int | None:
    text = call.query.get("$top")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise InvalidParameter("$top", text)
    return int(text)


def _for_method(call: Call, reply: Reply) -> Reply:
    """The answer to GET as it is; to HEAD without a body, and 204 where GET has 200 (oddity 51)."""
    if call.method == "GET":
        return reply
    headers = {name: value for name, value in reply.headers.items() if name != "Content-Type"}
    return Reply(status=204 if reply.status == 200 else reply.status, headers=headers)


def _with_budget(reply: Reply, route: Route) -> Reply:
    # What is left of the token buckets (oddity 58). They do not run down here: nothing throttles unless told to.
    if route.subscription:
        left = {
            "x-ms-ratelimit-remaining-subscription-reads": "249",
            "x-ms-ratelimit-remaining-subscription-global-reads": "3749",
        }
    else:
        left = {"x-ms-ratelimit-remaining-tenant-reads": "249"}
    return Reply(status=reply.status, body=reply.body, headers=reply.headers | left)
