"""Definitions: what the answer of a GET literally says, read so that whatever is not surely unused is kept.

Each function gives reasons to keep a thing, in the words of a decision; none at all is what a rule needs. A property
that is absent, null or of another shape than expected is such a reason. Only where Azure is known to leave a key out
while nothing uses the thing does absence mean unused, and there the rest of the answer must show that it is whole.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from shared_code.durations import Duration
from shared_code.foreign_text import one_line
from shared_code.model import Kind, text_in
from shared_code.resource_ids import key
from shared_code.targets import Around, Target
from shared_code.times import from_azure, text_of

_SHOWN = 200
_NO_NAMES: Collection[str] = ()


def usual(target: Target, around: Around, types: Collection[str], *, state: str = "provisioningState") -> Iterator[str]:
    """What keeps any resource: its answer is not whole, it is being changed or has failed, or something manages it."""
    yield from misread(target, types)
    yield from unsettled(target, state)
    yield from managed(target, around)


def misread(target: Target, types: Collection[str]) -> Iterator[str]:
    """It is not what the rule is about, or what was read is not the definition of it."""
    if target.kind is not Kind.RESOURCE or target.type.lower() not in types:
        yield f"the rule is not about a {target.kind} of type {quoted(target.type)}"
    given = text_in(target.definition, "id")
    if given is None or key(given) != target.key:
        yield "what was read is not its definition: that has another id, or none"
    if (text_in(target.definition, "type") or "").lower() != target.type.lower():
        yield "what was read is not its definition: that has another type, or none"
    if not target.properties:
        yield "its definition has no properties, so nothing is known of its use"


def unsettled(target: Target, name: str = "provisioningState") -> Iterator[str]:
    """It is not in the state in which its provider leaves it when all is done; what failed may still be in use."""
    wanted = "Succeeded" if name == "provisioningState" else "Ready"
    if name not in target.properties:
        yield f"Azure does not say its {name}"
    elif not _is(target.properties[name], wanted):
        yield f"its {name} is {said(target.properties[name])}, not '{wanted}'"


def managed(target: Target, around: Around) -> Iterator[str]:
    """Another resource, a service or a cluster manages it, or the resource group it is in."""
    owners = (target.managed_by, target.definition.get("managedBy"), target.properties.get("managedBy"))
    for owner in owners:
        if owner not in (None, ""):
            yield f"it is managed by {said(owner)}"
    # The specification has it beside the properties; https://learn.microsoft.com/rest/api/compute/disks/get
    for place in (target.definition, target.properties):
        if place.get("managedByExtended") not in (None, "", []):
            yield f"it is shared: managedByExtended is {said(place['managedByExtended'])}"
    if around.group is None:
        yield "its resource group was not read"
    elif around.group.managed_by:
        yield f"its resource group is managed by {quoted(around.group.managed_by)}"


def present(properties: Mapping[str, object], *names: str, means: str = "it is in use") -> Iterator[str]:
    """One of these is there at all, whatever it says; Azure leaves them out while nothing uses the thing."""
    for name in names:
        if name in properties:
            yield f"{means}: its {name} is {said(properties[name])}"


def filled(properties: Mapping[str, object], *names: str, means: str = "it is in use") -> Iterator[str]:
    """One of these is there, and not an empty list; Azure leaves them out while nothing uses the thing."""
    for name in names:
        if name in properties and not is_empty_list(properties[name]):
            yield f"{means}: its {name} is {said(properties[name])}"


def not_empty(properties: Mapping[str, object], *names: str, means: str = "it is in use") -> Iterator[str]:
    """One of these is not literally an empty list."""
    for name in names:
        if name not in properties:
            yield f"Azure does not say its {name}"
    yield from filled(properties, *names, means=means)


def not_said(properties: Mapping[str, object], name: str, *wanted: str) -> Iterator[str]:
    """A text is not one of these, letter for letter."""
    if name not in properties:
        yield f"Azure does not say its {name}"
    elif properties[name] not in wanted:
        yield f"its {name} is {said(properties[name])}, not {' or '.join(map(quoted, wanted))}"


def not_a_list(properties: Mapping[str, object], *names: str) -> Iterator[str]:
    """One of these, which every whole answer has as a list, is not."""
    for name in names:
        if not isinstance(properties.get(name), list):
            yield f"the answer is not whole: its {name} is no list"


def refers(properties: Mapping[str, object], harmless: Collection[str] = _NO_NAMES) -> Iterator[str]:
    """It names another resource in a property that is not known to be harmless.

    Azure invents new ways to attach things; whoever does not know them yet must not take the thing for unused.
    """
    for name, value in properties.items():
        if name not in harmless and any("/providers/" in text.lower() for text in texts_in(value)):
            yield f"it is tied to something: its {one_line(name, 80)} is {said(value)}"


def in_list(around: Around, name: str, what: str) -> Iterator[str]:
    """A list that the rule asks for was not read, or has something in it."""
    items = around.lists.get(name)
    if items is None:
        yield f"the list of its {what} was not read"
    elif items:
        first = next((text for text in (text_in(item, "id") or text_in(item, "name") for item in items) if text), None)
        yield f"its list of {what} has {len(items):,} in it" + (f", {quoted(first)} among them" if first else "")


def too_recent(given: object, what: str, age: Duration, now: datetime) -> Iterator[str]:
    """A time cannot be read with certainty, or is less than `age` ago."""
    moment = moment_of(given)
    if moment is None:
        yield f"Azure does not say when {what}" + ("" if given is None else f": {said(given)} is no time")
    elif now - moment < age.length:
        yield f"{what} {text_of(moment)}, less than {age} ago"


def moment_of(given: object) -> datetime | None:
    """Read a time as Azure writes it; None where that is not certain."""
    return from_azure(text_in(given))


def is_empty_list(value: object) -> bool:
    """Tell whether it is literally an empty list."""
    return isinstance(value, list) and not value


def part(value: object, name: str) -> object:
    """Return what stands under a name; None where it is no object or has no such name."""
    return value.get(name) if isinstance(value, dict) else None


def texts_in(value: object) -> Iterator[str]:
    """Give every text in a value, names of properties not included, however deep it is nested."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            left += each.values()
        elif isinstance(each, list):
            left += each


def names_in(value: object) -> Iterator[str]:
    """Give the name of every property in a value, however deep it is nested."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            yield from (name for name in each if isinstance(name, str))
            left += each.values()
        elif isinstance(each, list):
            left += each


def said(value: object) -> str:
    """Say what a value is, in a few words."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)[:40] if abs(value) < 10**15 else "a number"
        case str():
            return quoted(value)
        case dict():
            return quoted(value["id"]) if isinstance(value.get("id"), str) else "an object"
        case list() if value:
            return f"a list of {len(value):,}, the first of them {_said_first(value[0])}"
        case _:
            return "an empty list"


def quoted(text: str) -> str:
    """Return a stranger's text in quotes, as one line."""
    return f"'{one_line(text, _SHOWN)}'"


def evidence(**facts: object) -> dict[str, str]:
    """Return the facts that are texts, numbers or truths, as one line each; nothing for what is missing."""
    return {
        name: one_line(value, _SHOWN) if isinstance(value, str) else said(value)
        for name, value in facts.items()
        if isinstance(value, str | int | float) and value != ""
    }


def _is(value: object, wanted: str) -> bool:
    # Azure writes Succeeded, succeeded and SUCCEEDED; `casefold` would accept other letters too.
    return isinstance(value, str) and value.lower() == wanted.lower()


def _said_first(value: object) -> str:
    return "a list" if isinstance(value, list) else said(value)
