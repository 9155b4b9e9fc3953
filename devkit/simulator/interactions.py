"""Recorded interactions: one JSON file for each request with its answer."""

import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

Lists = Literal["resource-groups", "resources", "locks"]

_GROUPS_PATH = re.compile(r"/+subscriptions/[^/]+/resourcegroups/?", re.IGNORECASE)
_LOCKS_PATH = re.compile(r"/+subscriptions/[^/]+/+providers/+microsoft\.authorization/+locks/?", re.IGNORECASE)
_LOCKS_ANYWHERE = re.compile(r".*/+providers/+microsoft\.authorization/+locks/?", re.IGNORECASE)
_RESOURCES_PATH = re.compile(r"/+subscriptions/[^/]+(/resourcegroups/[^/]+)?/resources/?", re.IGNORECASE)


class Asked(Struct, frozen=True):
    """The request of an interaction."""

    method: str
    path: str
    query: str | None = None

    @property
    def place(self) -> str:
        """The decoded path alone, also where a whole address was recorded."""
        return unquote(re.sub(r"^https?://[^/]*", "", self.path, flags=re.IGNORECASE).partition("?")[0])


class Answered(Struct, frozen=True):
    """The response of an interaction."""

    status: int
    body: Any = None


class Sequence(Struct, frozen=True):
    """Which interactions belong together, and in which order."""

    id: str | None = ""
    step: int | None = 0


class Interaction(Struct, frozen=True):
    """One recorded request with its answer."""

    request: Asked
    response: Answered
    kind: str | None = None
    sequence: Sequence | None = None

    @property
    def lists(self) -> Lists | None:
        """What the answer is a list of, or None when it is no list of resource groups, resources or locks.

        Lists of one provider's resources (kinds `list-...`) count as lists of resources. Locks are those of a whole
        subscription.
        """
        body = self.response.body
        if self.request.method.upper() != "GET" or self.response.status != 200 or not isinstance(body, dict):
            return None
        if not isinstance(body.get("value"), list) and "nextLink" not in body:
            return None
        kind = self.kind or ""
        place = self.request.place
        if _LOCKS_ANYWHERE.fullmatch(place):
            return "locks" if _LOCKS_PATH.fullmatch(place) else None
        if kind == "rg-list" or _GROUPS_PATH.fullmatch(place):
            return "resource-groups"
        if kind.startswith(("resources-list", "list-")) or _RESOURCES_PATH.fullmatch(place):
            return "resources"
        return None

    @property
    def unserved(self) -> str:
        """Why an answer that is none of these lists is not served."""
        if _LOCKS_ANYWHERE.fullmatch(self.request.place):
            return "locks of another scope than a subscription, or no list of them"
        return "no list of resource groups, resources or locks"


def read_interaction(file: Path) -> Interaction | None:
    """The interaction in a file, or None when it holds none or cannot be read."""
    try:
        content = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
        interaction = msgspec.json.decode(content, type=Interaction, strict=False)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return None
    body = interaction.response.body
    if not isinstance(body, str):
        return interaction
    return replace(interaction, response=replace(interaction.response, body=_content(body)))


def _content(text: str) -> Any:
    """What a body means that was recorded as text; what is no JSON, such as HTML, stays text."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
