"""What a write makes of the tags at a scope, and what is refused: by the Tags API, and by the thing itself."""

import re
from typing import Literal

import msgspec
from msgspec import Struct

from devkit.simulator import errors
from devkit.simulator.exchange import Reply
from devkit.simulator.model import Json, Tags

MOST_TAGS = 50
LONGEST_NAME = 512
LONGEST_VALUE = 256
_RESERVED = re.compile(r"[<>%&\\?/\x00-\x1f\x7f]")


class TagsRefused(Exception):
    """The write is answered with an error."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class _Properties(Struct):
    tags: dict[str, str | None] = {}


class _Put(Struct):
    properties: _Properties


class _Patch(_Put):
    operation: Literal["Merge", "Replace", "Delete"]


class _OwnPatch(Struct):
    tags: dict[str, str | None] | None = None


def written(present: Tags, method: str, body: bytes) -> Tags:
    """The tags after a PUT, PATCH or DELETE.

    Raises:
        TagsRefused: when the body is no such request, or the tags are none that Azure takes.
    """
    if method == "DELETE":
        return {}
    try:
        form: type[_Put] = _Patch if method == "PATCH" else _Put
        request = msgspec.json.decode(_with_operation(body), type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TagsRefused(errors.invalid_content(str(error))) from error
    given = _without_null(request.properties.tags)
    wanted = request.operation if isinstance(request, _Patch) else "Replace"
    if wanted == "Delete":
        return _without(present, given)
    return _taken(present if wanted == "Merge" else {}, given)


def patched(present: Tags, body: bytes) -> Tags:
    """The tags after a PATCH of the thing itself: those that the body names and no others (oddity 23).

    Raises:
        TagsRefused: when the body is no object, or the tags are none that Azure takes.
    """
    try:
        given = msgspec.json.decode(body, type=_OwnPatch).tags
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TagsRefused(errors.invalid_content(str(error))) from error
    return present if given is None else _taken({}, _without_null(given))


def rendered(scope: str, tags: Tags) -> Json:
    """The tags as the API answers with them."""
    return {
        "id": f"{scope}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": tags},
    }


def _with_operation(body: bytes) -> bytes:
    """The body with its operation spelled as documented; Azure compares it without case."""
    return re.sub(
        rb'("operation"\s*:\s*")(\w+)"',
        lambda found: found[1] + found[2].capitalize() + b'"',
        body,
        flags=re.IGNORECASE,
    )


def _without_null(given: dict[str, str | None]) -> Tags:
    return {name: value or "" for name, value in given.items()}


def _taken(present: Tags, given: Tags) -> Tags:
    """Both together, if Azure takes them."""
    _check(given)
    result = _merged(present, given)
    if len(result) > MOST_TAGS:
        raise TagsRefused(errors.too_many_tags(len(result), MOST_TAGS))
    return result


def _merged(present: Tags, given: Tags) -> Tags:
    """Both together; names compare without case, and keep the spelling that was there first."""
    result = dict(present)
    spelled = {name.casefold(): name for name in present}
    for name, value in given.items():
        result[spelled.setdefault(name.casefold(), name)] = value
    return result


def _without(present: Tags, given: Tags) -> Tags:
    """The tags that are not named; one that is named with another value stays."""
    named = {name.casefold(): value for name, value in given.items()}
    return {name: value for name, value in present.items() if named.get(name.casefold()) not in ("", value)}


def _check(given: Tags) -> None:
    wrong = [name for name in given if _RESERVED.search(name) and not name.casefold().startswith("hidden-")]
    if wrong:
        raise TagsRefused(errors.invalid_tag_names(wrong))
    for name, value in given.items():
        if not name or len(name) > LONGEST_NAME:
            raise TagsRefused(errors.tag_length("name", name, LONGEST_NAME))
        if len(value) > LONGEST_VALUE:
            raise TagsRefused(errors.tag_length("value", name, LONGEST_VALUE))
