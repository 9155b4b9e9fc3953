"""Recorded interactions: one JSON file for each request with its answer."""

import re
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

Lists = Literal["resource-groups", "resources"]

_GROUPS_PATH = re.compile(r"/+subscriptions/[^/]+/resourcegroups/?", re.IGNORECASE)
_RESOURCES_PATH = re.compile(r"/+subscriptions/[^/]+(/resourcegroups/[^/]+)?/resources/?", re.IGNORECASE)


class Asked(Struct, frozen=True):
    """The request of an interaction."""

    method: str
    path: str
    query: str | None = None


class Answered(Struct, frozen=True):
    """The response of an interaction."""

    status: int
    body: Any = None


class Sequence(Struct, frozen=True):
    """Which interactions belong together, and in which order."""

    id: str = ""
    step: int = 0


class Interaction(Struct, frozen=True):
    """One recorded request with its answer."""

    request: Asked
    response: Answered
    kind: str | None = None
    sequence: Sequence | None = None

    @property
    def lists(self) -> Lists | None:
        """What the answer is a list of, or None when it is no list of resource groups or resources.

        Lists of one provider's resources (kinds `list-...`) count as lists of resources.
        """
        body = self.response.body
        if self.request.method.upper() != "GET" or self.response.status != 200 or not isinstance(body, dict):
            return None
        if not isinstance(body.get("value"), list) and "nextLink" not in body:
            return None
        kind = self.kind or ""
        if kind == "rg-list" or _GROUPS_PATH.fullmatch(self.request.path):
            return "resource-groups"
        if kind.startswith(("resources-list", "list-")) or _RESOURCES_PATH.fullmatch(self.request.path):
            return "resources"
        return None


def read_interaction(file: Path) -> Interaction | None:
    """The interaction in a file, or None when it holds none or cannot be read."""
    try:
        content = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
        interaction = msgspec.json.decode(content, type=Interaction, strict=False)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return None
    body = interaction.response.body
    if not isinstance(body, str):
        return interaction
    return replace(interaction, response=replace(interaction.response, body=_content(body)))


def _content(text: str) -> Any:
    """What a body means that was recorded as text; what is no JSON, such as HTML, stays text."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
