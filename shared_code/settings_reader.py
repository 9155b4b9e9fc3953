"""Tables of steward.toml as typed values, key by key, so that one wrong value hides no other."""

import codecs
import difflib
import tomllib
from collections.abc import Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAliasType, get_args, get_origin

import msgspec

from shared_code.durations import Duration
from shared_code.foreign_text import one_line
from shared_code.ncrontab import ScheduleError
from shared_code.problems import Costs, Problem
from shared_code.schedules import fill
from shared_code.windows import Window


class SettingsReader:
    """Collects problems while values are read; what cannot be understood keeps its default."""

    def __init__(self, place: str, environ: Mapping[str, str]) -> None:
        self._place = place
        self._environ = environ
        self.problems: list[Problem] = []
        self._items: list[tuple[str, msgspec.Struct]] = []

    def items_of[T: msgspec.Struct](self, kind: type[T]) -> list[tuple[str, T]]:
        """Return the tables of that type which stand in lists of tables, each with its place."""
        return [(place, item) for place, item in self._items if isinstance(item, kind)]

    def problem(self, place: str, text: str, costs: Costs, job: str | None = None) -> None:
        """Take down one problem."""
        self.problems.append(Problem(place, text, costs, job))

    def document(self, content: bytes | None) -> dict[str, Any]:
        """Parse the TOML; an unreadable file costs every job its runs, since their scope and limits are unknown."""
        if content is None:
            self.problem(self._place, "the file cannot be read; put steward.toml beside host.json", Costs.RUNS)
            return {}
        try:
            return tomllib.loads(content.removeprefix(codecs.BOM_UTF8).decode())  # some editors begin with one
        except UnicodeDecodeError as error:
            self.problem(self._place, f"byte {error.start} is not UTF-8; save the file as UTF-8 text", Costs.RUNS)
        except tomllib.TOMLDecodeError as error:
            self.problem(self._place, f"not valid TOML: {one_line(str(error))}", Costs.RUNS)
        except ValueError:  # from int(), which tomllib lets through
            self.problem(self._place, "not valid TOML: a number has too many digits", Costs.RUNS)
        except RecursionError:
            self.problem(self._place, "not valid TOML: nested too deeply", Costs.RUNS)
        return {}

    def only_known(
        self,
        table: Mapping[str, Any],
        known: tuple[str, ...],
        place: str,
        job: str | None = None,
        noun: str = "key",
    ) -> None:
        """Take down every key that is none."""
        for key in table:
            if key not in known:
                self.unknown(noun, key, known, place, job)

    def unknown(self, noun: str, name: str, known: tuple[str, ...], place: str, job: str | None) -> None:
        """Take down one name that is none, with the nearest that is one."""
        nearest = difflib.get_close_matches(name, known, 1, 0.5)
        hint = f"did you mean '{nearest[0]}'" if nearest else f"known are {', '.join(sorted(known))}"
        self.problem(place, f"there is no {noun} '{one_line(name, 80)}'; {hint}", Costs.RUNS, job)

    def struct[T: msgspec.Struct](self, table: object, kind: type[T], place: str, job: str | None) -> T:
        """Convert a table of a type all of whose keys have defaults."""
        return kind(**(self._values(table, kind, place, job) or {}))

    def _values(self, table: object, kind: type[msgspec.Struct], place: str, job: str | None) -> dict[str, Any] | None:
        """Convert a table; None if a key is missing without which it means nothing."""
        fields = msgspec.structs.fields(kind)
        needed = [field.name for field in fields if field.required]
        if not isinstance(table, dict):
            self.problem(
                place, f"must be a table, not {_toml_type(table)}{_heading(kind, place, table)}", Costs.RUNS, job
            )
            return None if needed else {}
        known = tuple(field.encode_name for field in fields)
        self.only_known(table, known, place, job, getattr(kind, "NOUN", "key"))
        literal = getattr(kind, "LITERAL", ())
        values: dict[str, Any] = {}
        for field in fields:
            if field.encode_name in table:
                where = f"{place}.{field.encode_name}"
                value = table[field.encode_name]
                if field.name != "schedule" and field.name not in literal:
                    value = self._filled(value, where, job)
                if value is not _NOTHING:
                    value = self._value(value, field.type, where, job)
                if value is not _NOTHING:
                    values[field.name] = value
            elif field.required:
                self.problem(place, f"has no '{field.name}'; add it", Costs.RUNS, job)
        return None if set(needed) - set(values) else values

    def _value(self, value: object, type_: Any, place: str, job: str | None) -> object:
        """Convert one value; `_NOTHING` where it cannot be understood."""
        kind = _bare(type_)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            values = self._values(value, kind, place, job)
            return _NOTHING if values is None else kind(**values)
        item = _item(kind)
        if item is not None:
            if not isinstance(value, list):
                name = place.rpartition(": ")[2]
                self.problem(place, f"must be a list of tables, each under [[{name}]]", Costs.RUNS, job)
                return _NOTHING
            found: list[msgspec.Struct] = []
            for position, table in enumerate(value):
                where = f"{place}[{position}]"
                values = self._values(table, item, where, job)
                if values is not None:
                    found.append(item(**values))
                    self._items.append((where, found[-1]))
            return tuple(found)
        try:
            converted: object = msgspec.convert(value, type_, dec_hook=_from_toml)
        except msgspec.ValidationError as error:
            reason, _, inner = str(error).partition(" - at `$")
            costs = Costs.TIMER if place.endswith((".schedule", ".timezone")) else Costs.RUNS
            self.problem(f"{place}{inner.rstrip('`')}", one_line(_plain(reason, kind)), costs, job)
            return _NOTHING
        return converted

    def _filled(self, value: object, place: str, job: str | None) -> object:
        """Fill `%NAME%` in a list of texts; an exclusion that names a setting must not silently exclude nothing."""
        if not isinstance(value, list):
            return value
        filled: list[object] = []
        before = len(self.problems)
        for position, item in enumerate(value):
            text = fill(item, self._environ) if isinstance(item, str) else item
            if isinstance(text, ScheduleError):
                self.problem(f"{place}[{position}]", text.sentence, Costs.RUNS, job)
            filled.append(text)
        return _NOTHING if len(self.problems) > before else filled


_NOTHING = object()
"""A value that cannot be understood; None is one that can."""

_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "date": "a date",
    "datetime": "a date with a time",
    "float": "a number",
    "int": "a whole number",
    "object": "a table",
    "str": "a text in quotes",
    "time": "a time",
}


def _from_toml(kind: type, value: object) -> object:
    if kind in (Duration, Window):
        if isinstance(value, list | dict):
            raise ValueError(f"must be a text in quotes, not {_toml_type(value)}")
        return kind.parse(value)
    raise NotImplementedError(kind)


def _toml_type(value: object) -> str:
    kind = type(value).__name__
    return _WORDS[{"dict": "object", "list": "array"}.get(kind, kind)]


def _heading(kind: type[msgspec.Struct], place: str, value: object) -> str:
    """Say how the table is begun; nothing where that would take counting the tables of a list."""
    name = place.rpartition(": ")[2]
    if "[" in name:
        return ""
    if hasattr(kind, "NOUN"):
        name = f"{name}.{msgspec.structs.fields(kind)[0].encode_name}"
    return f"; write [{name}]" + (", in single brackets" if isinstance(value, list) else "")


def _bare(type_: Any) -> Any:
    """Return a type without its name and its description."""
    while True:
        if isinstance(type_, TypeAliasType):
            type_ = type_.__value__
        elif get_origin(type_) is Annotated:
            type_ = get_args(type_)[0]
        elif (optional := _optional_table(type_)) is not None:
            type_ = optional
        else:
            return type_


def _optional_table(type_: Any) -> type[msgspec.Struct] | None:
    """Return the type of a table that may be left out; None for anything else."""
    inner = [each for each in get_args(type_) if each is not NoneType] if isinstance(type_, UnionType) else []
    alone = inner[0] if len(inner) == 1 else None
    return alone if isinstance(alone, type) and issubclass(alone, msgspec.Struct) else None


def _item(kind: Any) -> type[msgspec.Struct] | None:
    """Return the type of the tables of a list of tables; None if it is none."""
    inner = _bare(get_args(kind)[0]) if get_origin(kind) is tuple else None
    return inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None


def _words_of(kind: Any) -> list[str]:
    """Return the words that an enumeration allows, wherever in a type it stands."""
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(each.value) for each in kind]
    return [word for inner in get_args(kind) for word in _words_of(inner)]


_NO_MANAGEMENT_GROUP = (
    "must be the id of a management group, not its display name or path: letters, digits, '-', '_', '.', '(' and ')', "
    "at most 90"
)


def _plain(reason: str, kind: Any) -> str:
    """Turn msgspec's sentence into the operator's words."""
    if "matching regex" in reason:
        return _NO_MANAGEMENT_GROUP  # the only pattern there is
    if reason.startswith("Invalid enum value"):
        known = _words_of(kind)
        word = one_line(reason.partition("'")[2].rstrip("'"), 80)
        nearest = difflib.get_close_matches(word, known, 1)
        return f"'{word}' is none of {', '.join(known)}" + (f"; did you mean '{nearest[0]}'" if nearest else "")
    if reason.startswith("Invalid RFC3339"):
        return "is no date; write one such as 2026-12-31"
    text = reason[0].lower() + reason[1:].replace(" | null`", "`")
    if text.endswith("<= 1.0"):
        text += "; a share such as 0.1 is 10 %"  # nothing else ends at 1
    for theirs, ours in _WORDS.items():
        text = text.replace(f"`{theirs}`", ours)
    return text
