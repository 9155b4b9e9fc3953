"""Tables of keys in Markdown: what a key of steward.toml means, and what holds without it, from its type."""

import json
from collections.abc import Iterable

import msgspec

from shared_code.meaning import meanings_of

MUST = "must be there"
"""What stands for the default of a key that has none."""


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table."""
    return [f"| {' | '.join(row)} |" if row else f"|{'---|' * len(header)}" for row in (header, (), *rows)]


def without(kind: type[msgspec.Struct], field: msgspec.structs.FieldInfo) -> str:
    """Return what holds where a key is left out: its default, what that means, or that it has to be there."""
    if field.required:
        return MUST
    said = meanings_of(kind)[field.encode_name].without
    default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    value = None if isinstance(default, msgspec.Struct) else msgspec.to_builtins(default, enc_hook=str)
    return ", ".join([*([f"`{json.dumps(value)}`"] if value is not None else []), *([said] if said else [])])
