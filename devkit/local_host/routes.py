"""Route templates: `jobs/{job}/runs`, with the constraints that cost little.

The host routes with ASP.NET Core: literals without case, a literal before a parameter, a constrained parameter before a
free one (https://learn.microsoft.com/aspnet/core/fundamentals/routing).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

_CONSTRAINTS = {
    "alpha": r"[A-Za-z]*",
    "int": r"[+-]?\d{1,10}",
    "long": r"[+-]?\d{1,19}",
    "bool": r"(?i:true|false)",
    "guid": r"\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?",
}
_LENGTHS: dict[str, Callable[[int, int], bool]] = {
    "length": int.__eq__,
    "minlength": int.__ge__,
    "maxlength": int.__le__,
}
_PARAMETER = re.compile(r"\{(?P<all>\*{0,2})(?P<name>\w+)(?P<constraints>(:[^{}]+?)*)(?P<optional>\??)\}")
_LENGTH = re.compile(r"(?P<rule>length|minlength|maxlength)\((?P<number>\d+)\)")


class RouteError(ValueError):
    """The local host cannot read this route template."""


@dataclass(frozen=True, slots=True)
class _Segment:
    text: str
    """The literal, case-folded, or the parameter's name."""
    is_parameter: bool = False
    constraints: tuple[str, ...] = ()
    optional: bool = False
    catch_all: bool = False

    @property
    def rank(self) -> int:
        if not self.is_parameter:
            return 0
        return 3 if self.catch_all else 2 - bool(self.constraints)

    def accepts(self, part: str) -> bool:
        if not self.is_parameter:
            return part.casefold() == self.text
        return bool(part) and all(_satisfies(part, constraint) for constraint in self.constraints)


@dataclass(frozen=True, slots=True)
class Route:
    """A parsed template; `str()` gives its text."""

    template: str
    segments: tuple[_Segment, ...]

    def __str__(self) -> str:
        return self.template

    @property
    def precedence(self) -> tuple[int, ...]:
        """Sorts the more specific route first."""
        return tuple(segment.rank for segment in self.segments)

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        """Give the parameters' values for a path split by `split_path`, or None if the path is another's."""
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if segment.catch_all:
                values[segment.text] = "/".join(parts[index:])
                return values
            if index >= len(parts):
                if segment.optional:
                    continue
                return None
            if not segment.accepts(parts[index]):
                return None
            if segment.is_parameter:
                values[segment.text] = parts[index]
        return values if len(parts) <= len(self.segments) else None


def parse_route(template: str) -> Route:
    """Read a route template, prefix included.

    Raises:
        RouteError: it uses what is not played here.
    """
    return Route(template, tuple(_segment(part, template) for part in template.strip("/").split("/") if part))


def split_path(raw_path: str) -> list[str]:
    """Split a path as it came over the wire into decoded parts; a slash written as %2F does not separate."""
    return [unquote(part) for part in raw_path.strip("/").split("/") if part]


def _segment(part: str, template: str) -> _Segment:
    if "{" not in part and "}" not in part:
        return _Segment(part.casefold())
    match = _PARAMETER.fullmatch(part)
    if match is None:
        raise RouteError(
            f"the part '{part}' of route '{template}' is not understood here; use a whole part for each parameter"
        )
    constraints = tuple(match["constraints"].split(":")[1:])
    for constraint in constraints:
        if constraint not in _CONSTRAINTS and not _LENGTH.fullmatch(constraint):
            known = ", ".join([*_CONSTRAINTS, *(f"{name}(n)" for name in _LENGTHS)])
            raise RouteError(
                f"the constraint '{constraint}' of route '{template}' is not understood here; known are {known}"
            )
    return _Segment(match["name"], True, constraints, bool(match["optional"]), bool(match["all"]))


def _satisfies(part: str, constraint: str) -> bool:
    if constraint in _CONSTRAINTS:
        return re.fullmatch(_CONSTRAINTS[constraint], part, re.ASCII) is not None
    match = _LENGTH.fullmatch(constraint)
    return match is not None and _LENGTHS[match["rule"]](len(part), int(match["number"]))
