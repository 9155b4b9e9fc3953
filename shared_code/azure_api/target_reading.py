"""One thing as its own GET shows it, from the bytes to the values that a rule is asked about."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from shared_code.azure_api.bodies import Answer
from shared_code.azure_api.places import Place, shown
from shared_code.errors import UnreadableAnswer
from shared_code.foreign_text import one_line
from shared_code.model import Kind, ResourceGroup, Subscription, Tags, text_in
from shared_code.resource_ids import key
from shared_code.targets import Target
from shared_code.times import from_azure

# Providers write the beginning of the calendar for what they do not know, which would look very old.
_BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)


def document_of(answer: Answer, what: str) -> dict[str, Any]:
    """Return the JSON object that an answer is; raises UnreadableAnswer."""
    try:
        document = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableAnswer(f"cannot read {what}: the answer is no whole JSON: {one_line(str(error))}") from error
    if not isinstance(document, dict):
        raise UnreadableAnswer(f"cannot read {what}: the answer has another shape than Azure's: no object")
    return document


def definition_of(answer: Answer, place: Place) -> dict[str, Any]:
    """Return the whole definition of what is at a place.

    Raises:
        UnreadableAnswer: it is another thing's, or none.
    """
    what = f"'{shown(place.path)}'"
    definition = document_of(answer, what)
    given = definition.get("id")
    if not isinstance(given, str) or key(given) != place.key:
        told = f"that of '{shown(given)}'" if isinstance(given, str) else "without an id"
        raise UnreadableAnswer(f"cannot read {what}: the answer is {told}")
    kind = definition.get("type", place.type)
    if not isinstance(kind, str) or kind.casefold() != place.type.casefold():
        raise UnreadableAnswer(f"cannot read {what}: the answer is of type '{one_line(str(kind), 100)}'")
    return definition


def created_in(definition: dict[str, Any]) -> datetime | None:
    """Return when it was created, as its own GET says; None where that is not said, or cannot be."""
    given = text_in(definition.get("systemData"), "createdAt") or text_in(definition.get("createdTime"))
    return believable(from_azure(given))


def believable(created: datetime | None) -> datetime | None:
    """Return a time that a thing in Azure can have been created at; None for any other."""
    return created if created and created >= _BEGINNING else None


def target_of(definition: dict[str, Any], place: Place, created: datetime | None) -> Target:
    """Make a target of a definition; raises UnreadableAnswer where tags or owner have an odd shape."""
    return Target(
        id=definition["id"],
        name=text_in(definition.get("name")) or place.name,
        type=text_in(definition.get("type")) or place.type,
        kind=Kind.RESOURCE_GROUP if place.is_group else Kind.RESOURCE,
        subscription_id=place.subscription_id,
        location=text_in(definition.get("location")),
        tags=_tags(definition, place),
        managed_by=_owner(definition, place),
        created=created,
        state=text_in(definition.get("properties"), "provisioningState"),
        definition=definition,
    )


def group_of(
    definition: dict[str, Any], place: Place, subscription: Subscription, created: datetime | None
) -> ResourceGroup:
    """Make a resource group of a definition; raises UnreadableAnswer as `target_of` does."""
    return ResourceGroup(
        id=definition["id"],
        name=text_in(definition.get("name")) or place.name,
        subscription_id=subscription.id,
        subscription_name=subscription.name,
        location=text_in(definition.get("location")) or "",
        tags=_tags(definition, place),
        managed_by=_owner(definition, place),
        provisioning_state=text_in(definition.get("properties"), "provisioningState"),
        created=created,
        resources=None,
    )


def _tags(definition: dict[str, Any], place: Place) -> Tags:
    try:
        return msgspec.convert(definition.get("tags"), Tags | None) or {}
    except msgspec.ValidationError as error:
        # A tag that cannot be read may be the one that protects it.
        raise UnreadableAnswer(f"cannot read the tags of '{shown(place.path)}': {error}") from error


def _owner(definition: dict[str, Any], place: Place) -> str | None:
    owner = definition.get("managedBy")
    if owner is not None and not isinstance(owner, str):
        raise UnreadableAnswer(f"cannot read what manages '{shown(place.path)}': it is no text")
    return owner or None
