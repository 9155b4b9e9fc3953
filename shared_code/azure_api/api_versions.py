"""The api-versions that a subscription knows for a type of resource."""

import re
from typing import Any

import msgspec

from shared_code.azure_api.arm import Arm
from shared_code.azure_api.places import Place
from shared_code.azure_api.refusals import unread
from shared_code.errors import AzureError, NotFound, UnreadableAnswer

RESOURCES = "2025-04-01"
"""That of Microsoft.Resources itself: https://learn.microsoft.com/rest/api/resources."""
MOST = 4
"""Versions tried for one request; one that is not registered in a region is rare, two in a row are rarer."""
_LARGEST = 8 * 1024 * 1024
_VERSION = re.compile(r"(\d{4}-\d{2}-\d{2})(-[0-9A-Za-z.-]+)?")
_NAMESPACE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")


class _Type(msgspec.Struct):
    resourceType: str  # noqa: N815  # Azure's spelling
    apiVersions: list[str] | None = None  # noqa: N815
    defaultApiVersion: Any = None  # noqa: N815


class _Provider(msgspec.Struct):
    resourceTypes: list[_Type] | None = None  # noqa: N815  # Azure's spelling


_decode = msgspec.json.Decoder(_Provider).decode


class ApiVersions:
    """Reads each provider once for each subscription; safe for many threads."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._known: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}

    def of(self, place: Place) -> tuple[str, ...]:
        """Return the versions to try, best first: the newest that is no preview, and at last the previews.

        A newer version shows what an older one leaves out, such as who else uses an address; the default of a provider
        may be years old.

        Raises:
            AzureError: the provider cannot be read, or does not know the type.
        """
        if place.is_group:
            return (RESOURCES,)
        namespace, _, name = place.type.partition("/")
        found = self._types(place.subscription_id, namespace).get(name.casefold())
        if not found:
            raise AzureError(
                f"cannot read '{namespace}/{name}': the provider has no such type in subscription "
                f"'{place.subscription_id}', so no api-version is known for it"
            )
        return found

    def of_list(self, place: Place, kind: str) -> tuple[str, ...]:
        """Return those of a list behind a place: of its items' type, or of the place's where that is none of its own.

        Raises:
            AzureError: as `of` does.
        """
        namespace, _, name = kind.partition("/")
        return self._types(place.subscription_id, namespace).get(name.casefold()) or self.of(place)

    def prefer(self, place: Place, version: str) -> None:
        """Try a version first from now on, since Azure takes it."""
        namespace, _, name = place.type.partition("/")
        types = self._known.get((place.subscription_id.casefold(), namespace.casefold()), {})
        known = types.get(name.casefold(), ())
        if known[1:] and known[0] != version:
            types[name.casefold()] = (version, *(each for each in known if each != version))

    def _types(self, subscription_id: str, namespace: str) -> dict[str, tuple[str, ...]]:
        place = (subscription_id.casefold(), namespace.casefold())
        if (known := self._known.get(place)) is None:
            known = self._known[place] = self._read(subscription_id, namespace)
        return known

    def _read(self, subscription_id: str, namespace: str) -> dict[str, tuple[str, ...]]:
        what = f"provider '{namespace}' of subscription '{subscription_id}'"
        if not _NAMESPACE.fullmatch(namespace):
            raise AzureError(f"cannot read {what}: that is no name of a provider")
        path = f"/subscriptions/{subscription_id}/providers/{namespace}?api-version={RESOURCES}"
        answer = self._arm.exchange("GET", path, what, once=False, largest=_LARGEST).answer
        if answer.status != 200:
            error = unread(what, *answer)
            # What is not there is the provider, or the subscription, and not the thing that was asked about.
            raise AzureError(str(error)) if isinstance(error, NotFound) else error
        try:
            provider = _decode(answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableAnswer(f"cannot read {what}: the answer has another shape than Azure's: {error}") from error
        return {
            each.resourceType.casefold(): versions
            for each in provider.resourceTypes or ()
            if (versions := _sorted(each))
        }


def _sorted(kind: _Type) -> tuple[str, ...]:
    default = [kind.defaultApiVersion] if isinstance(kind.defaultApiVersion, str) else []
    known = {each: found for each in [*(kind.apiVersions or ()), *default] if (found := _VERSION.fullmatch(each))}
    return tuple(sorted(known, key=lambda each: (not known[each][2], known[each][1], each), reverse=True))
