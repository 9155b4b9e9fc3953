"""What is deleted, read with everything around it, and the deletion itself: the port Remover."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from shared_code.azure_api.api_versions import MOST, RESOURCES, ApiVersions
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.bodies import Reply
from shared_code.azure_api.estate import AzureEstate
from shared_code.azure_api.operations import deletion_of, followed, wait_of
from shared_code.azure_api.places import Place, list_path, place_of, shown
from shared_code.azure_api.refusals import WrongVersion, failed, is_wrong_version, refused, unread
from shared_code.azure_api.target_reading import (
    believable,
    created_in,
    definition_of,
    document_of,
    group_of,
    target_of,
)
from shared_code.azure_api.visibility import check_nothing_is_hidden
from shared_code.azure_clock import AzureClock
from shared_code.errors import AzureError, NotFound, UnreadableAnswer
from shared_code.foreign_text import one_line
from shared_code.model import Lock, Name, Resource, ResourceGroup, Subscription, text_in
from shared_code.ports import Deletion, Followed
from shared_code.resource_ids import group_key, is_in_subscription, key, type_and_name
from shared_code.targets import Denial, Target

_DENIALS = "2022-04-01"
_EXPAND = "createdTime%2CchangedTime%2CprovisioningState"
_DENIAL = re.compile(r"(.*)/providers/microsoft\.authorization/denyassignments/[^/]+/?", re.IGNORECASE | re.DOTALL)
_EXPORT = b'{"resources":["*"],"options":"IncludeParameterDefaultValue"}'
_LARGEST_TEMPLATE = 16 * 1024 * 1024
EXPORT_LIMIT = 180.0
"""Seconds that the export of a template may take, as far as they are spent waiting."""
_EXPORT_STEP = 5.0
_EXPORT_STEPS = 60
_ACCEPTED = (200, 201, 202, 204)


class _Denial(msgspec.Struct):
    id: Name
    properties: Any = None


class AzureRemover:
    """Reads one thing at a time from Azure, and deletes it."""

    def __init__(self, arm: Arm, clock: AzureClock | None = None) -> None:
        """Prepare.

        Args:
            arm: reads and asks.
            clock: judges this machine's clock by what answers say; without one it is believed.
        """
        self._arm = arm
        self._clock = clock
        self._estate = AzureEstate(arm)
        self._versions = ApiVersions(arm)

    def target(self, resource_id: str, subscription: Subscription, listed: datetime | None = None, /) -> Target:
        """Return a resource or a resource group as its own GET shows it now.

        Args:
            resource_id: of what is looked at.
            subscription: the one it is in.
            listed: when it was created, as a list has just told; else the list is asked where the GET does not tell.

        Raises:
            NotFound: it is gone.
            AzureError: it cannot be read, or this machine's clock cannot be relied on.
        """
        place = _place_in(resource_id, subscription)
        definition = self._definition(place)
        if self._clock:
            self._clock.check()
        created = created_in(definition) or listed or self._listed_creation(place, subscription)
        return target_of(definition, place, believable(created))

    def group(self, resource_id: str, subscription: Subscription) -> ResourceGroup | None:
        """Return the resource group that something is in, or is; None for what is in none.

        Raises:
            NotFound: the group is gone.
            AzureError: it cannot be read.
        """
        group = _place_in(resource_id, subscription).group
        if group is None:
            return None
        place = place_of(group)
        definition = self._definition(place)
        created = created_in(definition) or self._listed_creation(place, subscription)
        return group_of(definition, place, subscription, believable(created))

    def members(self, group_id: str) -> list[Resource]:
        """Return everything in a resource group, read to the end.

        Raises:
            NotFound: the group is gone.
            AzureError: the list cannot be read to its end.
        """
        return list(self._resources(_group_at(group_id), ""))

    def locks(self, subscription: Subscription) -> list[Lock]:
        """Return the locks at a subscription and on everything in it, read to the end; raises AzureError."""
        with _not_gone():
            return [each for page in self._estate.locks(subscription) for each in page]

    def denials(self, subscription: Subscription) -> list[Denial]:
        """Return the deny assignments at a subscription and on everything in it, read to the end.

        One from above counts as at the subscription.

        Raises:
            AccessDenied: they cannot be read, or the identity's own roles leave out what lists would have to show.
            AzureError: they cannot be read.
        """
        at = f"/subscriptions/{subscription.id}"
        path = f"{at}/providers/Microsoft.Authorization/denyAssignments?api-version={_DENIALS}"
        with _not_gone():
            pages = self._arm.pages(path, _Denial, "deny assignments", unread)
            found = [_denial(item, at) for page in pages for item in page]
            check_nothing_is_hidden(self._arm, subscription)
            return found

    def items(self, path: str) -> list[dict[str, object]]:
        """Return the items of a list at a path behind an id, such as `…/serverFarms/plan-a/sites`, read to the end.

        Raises:
            NotFound: what has the list is gone.
            AzureError: the list cannot be read to its end.
        """
        place, encoded, kind = list_path(path)
        what = f"'{shown(path)}'"
        versions = self._versions.of_list(place, kind)[:MOST]
        for version in versions[:-1]:
            try:
                return self._items(f"{encoded}?api-version={version}", what)
            except WrongVersion:
                continue
        return self._items(f"{encoded}?api-version={versions[-1]}", what)

    def template(self, group_id: str) -> dict[str, object]:
        """Return the template that Azure exports of a resource group, with what it says it could not export.

        Raises:
            NotFound: the group is gone.
            AzureError: it is not exported, or not in time.
        """
        place = _group_at(group_id)
        what = f"the template of '{shown(group_id)}'"
        address = f"{place.path}/exportTemplate?api-version={RESOURCES}"
        reply = self._arm.exchange("POST", address, what, _EXPORT, once=False, largest=_LARGEST_TEMPLATE)
        waited, steps = 0.0, 0
        while reply.answer.status == 202:
            address = reply.headers.get("Location", "") or address
            if steps == 0 and not reply.headers.get("Location"):
                raise UnreadableAnswer(f"cannot read {what}: Azure accepted it and does not say where it will be")
            pause = wait_of(reply.headers) or _EXPORT_STEP
            if waited + pause > EXPORT_LIMIT or steps == _EXPORT_STEPS:
                raise AzureError(
                    f"cannot read {what}: after {waited:.0f} seconds Azure is still at it; try again later"
                )
            self._arm.pause(pause)
            waited, steps = waited + pause, steps + 1
            reply = self._arm.exchange("GET", address, what, once=False, largest=_LARGEST_TEMPLATE)
        if reply.answer.status != 200:
            raise unread(what, *reply.answer)
        document = document_of(reply.answer, what)
        if not isinstance(document.get("template"), dict):
            raise UnreadableAnswer(f"cannot read {what}: there is none in the answer, {failed(reply.answer.body, '')}")
        return document

    def delete(self, resource_id: str, ready: Callable[[], None] | None = None, /) -> Deletion:
        """Ask once for a deletion.

        Once means that nothing is sent again unless Azure has refused the api-version, and so done nothing; then
        `ready` is asked again too.

        Raises:
            NotFound: it is gone.
            AzureError: Azure refused, or did not say that it accepts; it may be under way.
        """
        place = place_of(resource_id)
        reply = self._asked("DELETE", place, f"what became of the deletion of '{shown(resource_id)}'", ready)
        if reply.answer.status not in _ACCEPTED:
            raise refused(resource_id, reply.answer)
        return deletion_of(reply, self._arm.follows, f"how far the deletion of '{shown(resource_id)}' is")

    def follow(self, operation: str) -> Followed:
        """Ask once how far a deletion is.

        Raises:
            AzureError: it could not be asked, which says nothing about the deletion.
        """
        what = "how far a deletion is"
        reply = self._arm.exchange("GET", operation, what, once=True)
        return followed(operation, reply, self._arm.follows, what)

    def _definition(self, place: Place) -> dict[str, Any]:
        what = f"'{shown(place.path)}'"
        reply = self._asked("GET", place, what)
        if self._clock:
            self._clock.told(reply.headers.get("Date"))
        answer = reply.answer
        if answer.status != 200:
            raise unread(what, *answer)
        return definition_of(answer, place)

    def _asked(self, method: str, place: Place, what: str, ready: Callable[[], None] | None = None) -> Reply:
        """Ask with one api-version after the other, until one is known."""
        # $expand=createdTime works for a group as it does for the list of them, though no document says so.
        more = "&$expand=createdTime" if place.is_group and method == "GET" else ""
        versions = self._versions.of(place)[:MOST]
        for version in versions:
            address = f"{place.path}?api-version={version}{more}"
            reply = self._arm.exchange(method, address, what, once=method != "GET", ready=ready)
            if not is_wrong_version(reply.answer.status, reply.answer.body):
                self._versions.prefer(place, version)
                return reply
        return reply

    def _listed_creation(self, place: Place, subscription: Subscription) -> datetime | None:
        """Return when it was created, as the list tells that it is in; None where that does not tell it either."""
        if place.is_group:
            with _not_gone():
                pages = self._estate.resource_groups(subscription)
                return next((each.created for page in pages for each in page if key(each.id) == place.key), None)
        if place.group is None or place.extends:
            return None
        name = place.name.replace("'", "''")
        found = self._resources(place_of(place.group), f"&$filter={quote(f"name eq '{name}'")}")
        return next((each.created for each in found if key(each.id) == place.key), None)

    def _resources(self, group: Place, filtered: str) -> Iterator[Resource]:
        path = f"{group.path}/resources?api-version={RESOURCES}&$expand={_EXPAND}{filtered}"
        what = f"the resources in '{shown(group.path)}'"
        for page in self._arm.pages(path, Resource, what, unread):
            for item in page:
                if group_key(item.id) != group.key:
                    raise UnreadableAnswer(f"cannot read {what}: '{shown(item.id)}' is not in it")
                yield _completed(item, what)

    def _items(self, path: str, what: str) -> list[dict[str, object]]:
        return [each for page in self._arm.pages(path, dict[str, object], what, unread) for each in page]


@contextmanager
def _not_gone() -> Iterator[None]:
    """Let no list of a subscription say that something in it is gone."""
    try:
        yield
    except NotFound as error:
        raise AzureError(str(error)) from error


def _place_in(resource_id: str, subscription: Subscription) -> Place:
    place = place_of(resource_id)
    if place.subscription_id.casefold() != subscription.id.casefold():
        raise AzureError(f"'{shown(resource_id)}' is not in subscription '{subscription.id}'; nothing is asked")
    return place


def _group_at(group_id: str) -> Place:
    place = place_of(group_id)
    if not place.is_group:
        raise AzureError(f"'{shown(group_id)}' is no resource group's id; nothing is asked")
    return place


def _completed(item: Resource, what: str) -> Resource:
    """Take a name or a type that is missing from the id, which holds both."""
    if item.name and item.type:
        return item
    told = type_and_name(item.id)
    if told is None:
        raise UnreadableAnswer(f"cannot read {what}: '{shown(item.id)}' has no name or no type, and its id tells none")
    return msgspec.structs.replace(item, type=item.type or told[0], name=item.name or told[1])


def _denial(item: _Denial, at: str) -> Denial:
    found = _DENIAL.fullmatch(item.id)
    scope = text_in(item.properties, "scope") or (found[1] if found else None)
    if scope is None:
        # Without its scope nobody knows what it protects.
        raise UnreadableAnswer(f"cannot read deny assignments: '{one_line(item.id)}' has no scope")
    name = text_in(item.properties, "denyAssignmentName") or item.id.rstrip("/").rsplit("/", 1)[-1]
    return Denial(item.id, name, scope if is_in_subscription(scope) else at)
