"""Meaning: what a key of steward.toml is for, said once, at its type, for the JSON Schema and the page of all keys."""

import typing

import msgspec


class Meaning(typing.NamedTuple):
    """What a key means, and what holds without it where the default value does not say that by itself."""

    text: str
    without: str | None = None


def says(text: str, /, without: str | None = None, **schema: object) -> msgspec.Meta:
    """Say what a key means.

    Args:
        text: whole sentences, in Markdown.
        without: what holds where the key is left out, as the end of a sentence; needed where it has no default value.
        schema: more of the JSON Schema. It checks nothing, which is left to a sentence in the operator's words. A
            `title` says in words what a value has to be, where its pattern would say it.
    """
    description = text if without is None else f"{text} Without it: {without}."
    return msgspec.Meta(
        description=description, extra_json_schema=schema or None, extra={"meaning": Meaning(text, without)}
    )


def meanings_of(kind: type[msgspec.Struct]) -> dict[str, Meaning]:
    """Return what the keys of a table mean, by name; a key of which nothing is said is left out."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found: dict[str, Meaning] = {}
    for field in msgspec.structs.fields(kind):
        for meta in getattr(hints[field.name], "__metadata__", ()):
            if isinstance(meta, msgspec.Meta) and meta.extra and "meaning" in meta.extra:
                found[field.encode_name] = meta.extra["meaning"]
    return found
