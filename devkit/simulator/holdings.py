"""One state of one subscription, quick to look into: its lists can be cut and its things found without a walk."""

import copy
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, count
from typing import Self, overload
from urllib.parse import unquote

from msgspec.structs import force_setattr, replace

from devkit.simulator.definitions import Definitions
from devkit.simulator.model import Resource, ResourceGroup, Subscription, Tags

_serials = count(1)


class Places:
    """Where groups and resources stand, by name and decoded id without case; each group is looked through once."""

    def __init__(self, groups: tuple[ResourceGroup, ...]) -> None:
        self._groups = groups
        self._resources: dict[int, dict[str, int]] = {}

    @cached_property
    def groups(self) -> dict[str, int]:
        """The place of each group, by its name."""
        return {group.name.casefold(): place for place, group in enumerate(self._groups)}

    def resources(self, group: int) -> dict[str, int]:
        """The place of each resource in the group at that place, by its id."""
        if group not in self._resources:
            resources = self._groups[group].resources
            self._resources[group] = {unquote(each.id).casefold(): place for place, each in enumerate(resources)}
        return self._resources[group]


class Holdings:
    """What a subscription holds at one time; `serial` tells this state from every other."""

    def __init__(self, subscription: Subscription, places: Places | None = None) -> None:
        self.subscription = subscription
        self.serial = next(_serials)
        self._places = places or Places(subscription.resource_groups)
        self._kept: dict[Hashable, Sequence[Resource]] = {}

    @cached_property
    def resources(self) -> Sequence[Resource]:
        """The resources of all groups, in the order they are listed."""
        return AllResources(self.subscription.resource_groups)

    @cached_property
    def definitions(self) -> Definitions:
        """What each resource's own provider tells of it, and what uses it."""
        return Definitions(self.subscription)

    def group(self, name: str) -> ResourceGroup | None:
        """The resource group of that name in any case, or None."""
        place = self._places.groups.get(name.casefold())
        return None if place is None else self.subscription.resource_groups[place]

    def resource(self, group_name: str, resource_id: str) -> Resource | None:
        """The resource of that decoded id in any case, or None."""
        group = self._places.groups.get(group_name.casefold())
        if group is None:
            return None
        place = self._places.resources(group).get(resource_id.casefold())
        return None if place is None else self.subscription.resource_groups[group].resources[place]

    def kept(self, key: Hashable, make: Callable[[], Iterator[Resource]]) -> Sequence[Resource]:
        """A choice of the resources, made once for each key: a filtered list is walked once, not for each page."""
        if key not in self._kept:
            self._kept[key] = tuple(make())
        return self._kept[key]

    def tagged(self, tags: Tags, group_name: str = "", resource_id: str = "") -> Self:
        """The state in which the resource, the group or, without either, the subscription has these tags.

        All else is shared with this state, so that a write costs little in a large subscription.
        """
        # A copy, since constructing a subscription would place everything in it anew.
        subscription = copy.copy(self.subscription)
        if not group_name:
            force_setattr(subscription, "tags", tags)
        else:
            place = self._places.groups[group_name.casefold()]
            groups = list(subscription.resource_groups)
            groups[place] = self._tagged_group(place, tags, resource_id)
            force_setattr(subscription, "resource_groups", tuple(groups))
        # Nothing has moved, so what was found once stays where it was.
        return type(self)(subscription, self._places)

    def with_groups(self, changed: Mapping[str, ResourceGroup | None]) -> Self:
        """The state in which the groups of these names are others, or are gone (None)."""
        places = {self._places.groups[name.casefold()]: group for name, group in changed.items()}
        groups = (places.get(place, group) for place, group in enumerate(self.subscription.resource_groups))
        subscription = copy.copy(self.subscription)
        force_setattr(subscription, "resource_groups", tuple(group for group in groups if group is not None))
        return type(self)(subscription)

    def _tagged_group(self, place: int, tags: Tags, resource_id: str) -> ResourceGroup:
        group = self.subscription.resource_groups[place]
        if not resource_id:
            return replace(group, tags=tags)
        resources = list(group.resources)
        index = self._places.resources(place)[resource_id.casefold()]
        resources[index] = replace(resources[index], tags=tags)
        return replace(group, resources=tuple(resources))


class AllResources(Sequence[Resource]):
    """The resources of all groups one after the other, without a copy."""

    def __init__(self, groups: tuple[ResourceGroup, ...]) -> None:
        self._groups = groups
        self._ends = list(accumulate(len(group.resources) for group in groups))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Resource]:
        return (resource for group in self._groups for resource in group.resources)

    @overload
    def __getitem__(self, index: int) -> Resource: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Resource]: ...
    def __getitem__(self, index: int | slice) -> Resource | Sequence[Resource]:
        if isinstance(index, int):
            start, end, _ = slice(index, index + 1 or None).indices(len(self))
            return self._cut(start, end)[0]
        start, end, step = index.indices(len(self))
        if step == 1:
            return self._cut(start, end)
        return list(self)[index]

    def _cut(self, start: int, end: int) -> list[Resource]:
        found: list[Resource] = []
        place = bisect_right(self._ends, start)
        while start < end:
            before = self._ends[place - 1] if place else 0
            part = self._groups[place].resources[start - before : end - before]
            found.extend(part)
            start += len(part)
            place += 1
        return found
