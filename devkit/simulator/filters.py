"""The $filter of list requests: `name eq 'x' and location eq 'y'`, as far as clients use it."""

import re

from msgspec import Struct

from devkit.simulator.model import Resource, ResourceGroup, Tags

_CLAUSE = re.compile(r"\s*(?P<field>\w+)\s+(?P<operator>eq|ne)\s+'(?P<value>(?:[^']|'')*)'\s*", re.IGNORECASE)
_AND = re.compile(r"and\s", re.IGNORECASE)
_TAG_FIELDS = {"tagname", "tagvalue"}
_RESOURCE_FIELDS = {"resourcetype", "name", "resourcegroup", "location"}


class InvalidFilter(ValueError):
    """The text is no filter for that list."""


class Filter(Struct, frozen=True):
    """Clauses that must all hold: field in lower case, whether equal or not, and value."""

    clauses: tuple[tuple[str, bool, str], ...] = ()

    @property
    def by_tag(self) -> bool:
        """Whether it selects by tag; answers about resources then come without tags (oddity 6)."""
        return any(field in _TAG_FIELDS for field, _, _ in self.clauses)

    def takes_resource(self, resource: Resource, group: ResourceGroup) -> bool:
        """Whether the resource of that group is listed."""
        facts = {
            "resourcetype": resource.type,
            "name": resource.name,
            "resourcegroup": group.name,
            "location": resource.location if isinstance(resource.location, str) else "",
        }
        plain = [clause for clause in self.clauses if clause[0] not in _TAG_FIELDS]
        return all((facts[field].casefold() == value.casefold()) is equal for field, equal, value in plain) and (
            self._takes_tags(resource.tags if isinstance(resource.tags, dict) else {})
        )

    def takes_group(self, group: ResourceGroup) -> bool:
        """Whether the resource group is listed."""
        return self._takes_tags(group.tags if isinstance(group.tags, dict) else {})

    def _takes_tags(self, tags: Tags) -> bool:
        wanted = {field: value for field, _, value in self.clauses if field in _TAG_FIELDS}
        if not wanted:
            return True
        # Names of tags compare without case, values with it.
        name, value = wanted.get("tagname"), wanted.get("tagvalue")
        return any(
            (name is None or key.casefold() == name.casefold()) and (value is None or have == value)
            for key, have in tags.items()
        )


def parse_filter(text: str, *, of_groups: bool) -> Filter:
    """Read a $filter; an empty one takes everything, as recorded clients send it.

    Raises:
        InvalidFilter: when it cannot be read, or names a field that this list does not filter by.
    """
    known = _TAG_FIELDS if of_groups else _TAG_FIELDS | _RESOURCE_FIELDS
    clauses: list[tuple[str, bool, str]] = []
    rest = text.strip()
    while rest:
        if clauses:
            if not (joined := _AND.match(rest)):
                raise InvalidFilter(text)
            rest = rest[joined.end() :]
        found = _CLAUSE.match(rest)
        if not found or found["field"].casefold() not in known:
            raise InvalidFilter(text)
        equal = found["operator"].casefold() == "eq"
        clauses.append((found["field"].casefold(), equal, found["value"].replace("''", "'")))
        rest = rest[found.end() :]
    if any(field in _TAG_FIELDS and not equal for field, equal, _ in clauses):
        raise InvalidFilter(text)
    return Filter(tuple(clauses))
