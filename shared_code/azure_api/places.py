"""What an id addresses, and the path that addresses it and nothing else."""

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

from shared_code.errors import AzureError
from shared_code.foreign_text import one_line
from shared_code.resource_ids import key, type_and_name

GROUPS = "Microsoft.Resources/resourceGroups"
"""The type of a resource group."""
# What may stand in a path besides letters and digits, and an encoding that is there already.
_SAFE = "/:@!$&'()*+,;=~-._%"
_BARE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_SLASHES = re.compile("/{2,}")
_PLACE = re.compile(
    r"(/subscriptions/([0-9A-Za-z][0-9A-Za-z_-]{0,63}))(/resourcegroups/[^/]+)?((?:/providers/[^/]+(?:/[^/]+/[^/]+)+)*)",
    re.IGNORECASE,
)
# A list of another provider's things at a place, such as the deployments in a resource group.
_EXTENSION = re.compile(r"(/.+)/providers/([^/]+)/([^/]+)", re.IGNORECASE)
_SHOWN = 300


class Place(NamedTuple):
    """A resource group, a resource in one, or a resource at a subscription.

    `path` is the encoded id; `group` that of the group it is in, or is. `type` is spelled as in the id. `extends` says
    that it belongs to something of another provider, as a lock does.
    """

    path: str
    key: str
    subscription_id: str
    group: str | None
    type: str
    name: str
    extends: bool

    @property
    def is_group(self) -> bool:
        """Whether it is a resource group itself."""
        return self.path == self.group


def place_of(resource_id: str) -> Place:
    """Take an id apart.

    Raises:
        AzureError: it is the id of neither a resource group nor a resource, or would lead elsewhere as a path.
    """
    path = _path(resource_id)
    found = _PLACE.fullmatch(path)
    if found is None or not (found[3] or found[4]) or _climbs(resource_id):
        raise AzureError(
            f"'{shown(resource_id)}' is the id of neither a resource group nor a resource; nothing is asked"
        )
    group = found[1] + found[3] if found[3] else None
    kind, name = type_and_name(path) or (GROUPS, path.rpartition("/")[2])
    extends = found[4].lower().count("/providers/") > 1
    return Place(path, key(resource_id), found[2], group, kind, unquote(name), extends)


def list_path(path: str) -> tuple[Place, str, str]:
    """Take the path of a list behind an id apart: where it is, its encoded path, and the type of its items.

    Raises:
        AzureError: it is no such path.
    """
    extension = _EXTENSION.fullmatch(path.rstrip("/"))
    if extension is not None and not _climbs(path):
        place, provider, child = place_of(extension[1]), extension[2], extension[3]
        return place, f"{place.path}/providers/{_path(provider)}/{_path(child)}", f"{provider}/{child}"
    parent, _, child = path.rstrip("/").rpartition("/")
    place = place_of(parent)
    if not child or _climbs(path):
        raise AzureError(f"'{shown(path)}' is no path of a list; nothing is asked")
    return place, f"{place.path}/{_path(child)}", f"{place.type}/{child}"


def shown(resource_id: str) -> str:
    """Return an id fit for a sentence."""
    return one_line(resource_id, _SHOWN)


def _path(resource_id: str) -> str:
    text = _SLASHES.sub("/", resource_id.rstrip("/"))
    return quote(_BARE_PERCENT.sub("%25", text), safe=_SAFE)


def _climbs(text: str) -> bool:
    """Whether a part of it is `.` or `..`, in any spelling: an HTTP library would take what is above it instead."""
    plain = unquote(unquote(text)).replace("\\", "/")
    return not {".", ".."}.isdisjoint(plain.split("/"))
