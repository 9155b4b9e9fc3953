"""Resource ids: shown as received, compared without case.

Azure spells one id in several ways, upper-case groups and `resourcegroups` among them, so an id is only ever compared
by its key (https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules).
"""

import re
from urllib.parse import unquote

_SLASHES = re.compile("/{2,}")
_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)
_PROVIDERS = re.compile("/providers/", re.IGNORECASE)


def key(resource_id: str) -> str:
    """Return the form in which two spellings of one id are equal.

    Besides the case, percent-encoding differs between Azure's own answers, and so does the number of slashes behind a
    provider; an encoded slash stays, since it belongs to a name. The key of a key may be another one, where a name has
    a `%`.
    """
    text = _decoded(resource_id)
    text = text.lower() if text.isascii() else "".join(map(_folded, text))
    if "//" in text:
        place, provider, rest = text.partition("/providers/")
        text = place + provider + _SLASHES.sub("/", rest)
    return text.rstrip("/")


def _decoded(text: str) -> str:
    return unquote(_ENCODED_SLASH.sub("%252f", text)) if "%" in text else text


def _folded(character: str) -> str:
    # One for one: `str.casefold` would make one group of 'rg-straße' and 'rg-strasse', which Azure keeps apart.
    return next((each for each in (character.casefold(), character.lower()) if len(each) == 1), character)


def group_key(resource_id: str) -> str | None:
    """Return the key of the resource group that `resource_id` is in, or is; None for ids outside any group."""
    parts = key(resource_id).split("/", 5)
    if len(parts) < 5 or parts[0] or parts[1] != "subscriptions" or parts[3] != "resourcegroups" or not parts[4]:
        return None
    return "/".join(parts[:5])


def group_name(resource_id: str) -> str | None:
    """Return the name of that resource group as the id spells it, decoded; None for ids outside any group."""
    return None if group_key(resource_id) is None else _decoded(resource_id).split("/", 5)[4]


def is_group(resource_id: str) -> bool:
    """Tell whether it is the id of a resource group itself."""
    return group_key(resource_id) == key(resource_id)


def is_in_subscription(resource_id: str) -> bool:
    """Tell whether it is the id of a subscription, or of something in one."""
    parts = key(resource_id).split("/", 3)
    return parts[:2] == ["", "subscriptions"] and any(parts[2:3])


def scopes_of(resource_id: str) -> list[str]:
    """Return the keys of every scope a lock on which holds for `resource_id`, itself the last.

    These are its subscription, its resource group, and each resource it is nested in, extensions included:
    `…/providers/NS/a/x/b/y` lies in `…/providers/NS/a/x`.
    """
    own = key(resource_id)
    parts = own.split("/")
    ends: list[int] = []
    place = 1
    while place + 1 < len(parts):
        # A provider's name stands between its parent and the first pair of type and name.
        place += 4 if parts[place] == "providers" else 2
        ends.append(place)
    scopes = ["/".join(parts[:end]) for end in ends if end < len(parts)]
    return [*scopes, own]


def type_and_name(resource_id: str) -> tuple[str, str] | None:
    """Return type and name as an id spells them, such as `Microsoft.Sql/servers/databases` and `server/orders`.

    Of an extension they are its own, not those of what it extends; None for an id of another form.
    """
    _, *below = _PROVIDERS.split(resource_id)
    namespace, *pairs = below[-1].rstrip("/").split("/") if below else [""]
    if not pairs or len(pairs) % 2 or not all((namespace, *pairs)):
        return None
    return "/".join((namespace, *pairs[::2])), "/".join(pairs[1::2])
