"""Compliance: how many checks of things against rules were passed, counted so that counts can be added up.

A check is one thing against one rule. One that could not be made, or was exempted, is neither passed nor failed: it is
shown as what it is, and no percentage counts it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Self

import msgspec

from shared_code.model import Subject


class Count(msgspec.Struct, frozen=True, array_like=True):
    """Checks: how many apply, how many of those are violated or exempted, and how many more could not be made."""

    evaluated: int = 0
    violated: int = 0
    exempted: int = 0
    unknown: int = 0

    @property
    def compliant(self) -> int:
        """How many were passed."""
        return self.evaluated - self.violated - self.exempted

    @property
    def percent(self) -> float | None:
        """Those passed, of those passed or violated, rounded down to a tenth; None where there is nothing to judge."""
        judged = self.evaluated - self.exempted
        return 1000 * self.compliant // judged / 10 if judged else None

    def __add__(self, other: Self) -> "Count":
        return Count(
            self.evaluated + other.evaluated,
            self.violated + other.violated,
            self.exempted + other.exempted,
            self.unknown + other.unknown,
        )


class Row(msgspec.Struct, frozen=True, array_like=True):
    """The checks of a rule, subscription, resource group, type or owner, by its name as somebody spelled it.

    `within` is the name of the subscription a resource group lies in.
    """

    name: str
    count: Count
    within: str = ""

    def __add__(self, other: Self) -> "Row":
        return Row(min(self.name, other.name), self.count + other.count, min(self.within, other.within))


class Rows(msgspec.Struct, frozen=True):
    """Rows by key, where there may be too many: those with the most violations, and the sum of all others."""

    rows: dict[str, Row] = {}
    others: Count = Count()

    @property
    def total(self) -> Count:
        """The sum of all."""
        return sum((row.count for row in self.rows.values()), self.others)

    def ranked(self) -> list[Row]:
        """Return those that are told apart, the most violations first."""
        return sorted(self.rows.values(), key=_badness)

    def worst(self, number: int) -> list[Row]:
        """Return the first of them; none without violations."""
        return [row for row in self.ranked()[:number] if row.count.violated]


class Compliance(msgspec.Struct, frozen=True):
    """The checks of one subscription, or of many, in every direction; each direction adds up to the same.

    `subjects` is how many things were checked by a rule at least, `left_out` how many were not, by reason. An owner is
    the value of a tag, compared with case, "" where there is none.
    """

    subjects: int = 0
    left_out: dict[str, int] = {}
    rules: dict[str, Count] = {}
    subscriptions: dict[str, Row] = {}
    resource_groups: Rows = Rows()
    types: Rows = Rows()
    owners: Rows = Rows()

    @property
    def total(self) -> Count:
        """The sum of all checks."""
        return sum(self.rules.values(), Count())

    @property
    def percent(self) -> float | None:
        """Compliance of all together; None where there is nothing to judge."""
        return self.total.percent

    @property
    def percent_by_rule(self) -> dict[str, float | None]:
        """Compliance with each rule."""
        return {rule: count.percent for rule, count in self.rules.items()}


OWNERS = 100
"""Owners of a subscription that are told apart: anybody may write any value."""
TYPES = 500
"""Types of a subscription that are told apart."""
RESOURCE_GROUPS = 1000
"""Resource groups that are told apart; a subscription has at most 980, an estate many more."""
_SLACK = 10
"""So many times more are told apart while a subscription is counted."""
_COMBINATIONS = 4096
"""Combinations of rules that are counted together."""


class Tally:
    """Counts the checks of one subscription; memory does not grow with what is in it."""

    def __init__(self, subscription_id: str, subscription_name: str) -> None:
        self._id = subscription_id
        self._name = subscription_name
        self._subjects = 0
        self._left_out: dict[str, int] = {}
        self._rules: dict[str, list[int]] = {}
        self._checks: dict[tuple[tuple[str, ...], ...], int] = {}
        self._groups = _Cells(RESOURCE_GROUPS)
        self._types = _Cells(TYPES)
        self._owners = _Cells(OWNERS)

    def add(
        self,
        subject: Subject,
        owner: str | None,
        *,
        evaluated: tuple[str, ...],
        violated: tuple[str, ...] = (),
        exempted: tuple[str, ...] = (),
        unknown: tuple[str, ...] = (),
    ) -> None:
        """Count the checks of one thing; in each tuple a rule is named once.

        Args:
            subject: what was checked.
            owner: the value of the tag that names its owner; None without one.
            evaluated: the rules that apply to it and could be evaluated.
            violated: those of them that it breaks, and from which it is not exempted.
            exempted: those of them from which it is exempted, whether or not it breaks them.
            unknown: the rules that apply to it and could not be evaluated.
        """
        self._subjects += 1
        combination = (evaluated, violated, exempted, unknown)
        try:
            self._checks[combination] += 1
        except KeyError:
            self._checks[combination] = 1
            if len(self._checks) > _COMBINATIONS:
                self._fold()
        counts = (len(evaluated), len(violated), len(exempted), len(unknown))
        if subject.resource_group is not None:
            self._groups.add(subject.resource_group, counts)
        self._types.add(subject.type, counts)
        self._owners.add(owner or "", counts)

    def leave_out(self, reason: str) -> None:
        """Count one thing that no rule looks at, such as one that cannot carry tags; it is not compliant."""
        self._left_out[reason] = self._left_out.get(reason, 0) + 1

    def result(self) -> Compliance:
        """Return what was counted.

        Raises:
            ValueError: a rule was named twice for one thing, or was violated or exempted and not evaluated.
        """
        self._fold()
        rules = {rule: Count(*counts) for rule, counts in sorted(self._rules.items())}
        whole = sum(rules.values(), Count())
        groups = self._groups.rows(str.casefold, within=self._name)
        return Compliance(
            subjects=self._subjects,
            left_out=dict(sorted(self._left_out.items())),
            rules=rules,
            subscriptions={self._id.casefold(): Row(self._name or self._id, whole)},
            resource_groups=Rows(
                {f"{self._id.casefold()}/{name}": row for name, row in groups.rows.items()}, groups.others
            ),
            types=self._types.rows(str.casefold),
            owners=self._owners.rows(str),
        )

    def _fold(self) -> None:
        for (evaluated, violated, exempted, unknown), number in self._checks.items():
            once = len({*evaluated, *unknown}) == len(evaluated) + len(unknown)
            if (
                not once
                or {*violated, *exempted} - {*evaluated}
                or len({*violated, *exempted}) < len(violated + exempted)
            ):
                raise ValueError("a rule is violated, exempted or compliant, or it was not evaluated; and never two")
            for place, rules in enumerate((evaluated, violated, exempted, unknown)):
                for rule in rules:
                    self._rules.setdefault(rule, [0, 0, 0, 0])[place] += number
        self._checks.clear()


class _Cells:
    """Counts by name as spelled; when there are far too many, those with few violations are counted together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._cells: dict[str, list[int]] = {}
        self._others = Count()

    def add(self, name: str, counts: tuple[int, int, int, int]) -> None:
        cell = self._cells.get(name)
        if cell is None:
            if len(self._cells) >= self._most * _SLACK:
                self._shrink()
            cell = self._cells[name] = [0, 0, 0, 0]
        evaluated, violated, exempted, unknown = counts  # one by one: a loop takes twice the time, for every resource
        cell[0] += evaluated
        if violated:
            cell[1] += violated
        if exempted:
            cell[2] += exempted
        if unknown:
            cell[3] += unknown

    def rows(self, key: Callable[[str], str], within: str = "") -> Rows:
        """Join what has the same key, and keep those with the most violations."""
        joined: dict[str, Row] = {}
        for name, counts in self._cells.items():
            _add(joined, key(name), Row(name, Count(*counts), within))
        return _trimmed(joined, self._others, self._most)

    def _shrink(self) -> None:
        rows = {name: Row(name, Count(*counts)) for name, counts in self._cells.items()}
        kept = _trimmed(rows, self._others, self._most)
        self._cells = {name: self._cells[name] for name in kept.rows}
        self._others = kept.others


def whole(parts: Iterable[Compliance]) -> Compliance:
    """Add up the compliance of different subscriptions; their order does not matter."""
    subjects = 0
    left_out: dict[str, int] = {}
    rules: dict[str, Count] = {}
    subscriptions: dict[str, Row] = {}
    rows: tuple[dict[str, Row], ...] = ({}, {}, {})
    others = [Count(), Count(), Count()]
    for part in parts:
        subjects += part.subjects
        for reason, number in part.left_out.items():
            left_out[reason] = left_out.get(reason, 0) + number
        for rule, count in part.rules.items():
            rules[rule] = rules.get(rule, Count()) + count
        for key, row in part.subscriptions.items():
            _add(subscriptions, key, row)
        for place, more in enumerate((part.resource_groups, part.types, part.owners)):
            others[place] += more.others
            for key, row in more.rows.items():
                _add(rows[place], key, row)
        if len(rows[0]) > RESOURCE_GROUPS * _SLACK:
            # A group lies in one subscription, so what is not among the worst here never will be. Types and owners
            # go on in the next one: they are told apart to the end, as many as the parts tell apart.
            kept = _trimmed(rows[0], others[0], RESOURCE_GROUPS)
            rows, others[0] = (kept.rows, *rows[1:]), kept.others
    groups, types, owners = rows
    return Compliance(
        subjects=subjects,
        left_out=dict(sorted(left_out.items())),
        rules=dict(sorted(rules.items())),
        subscriptions=dict(sorted(subscriptions.items())),
        resource_groups=_trimmed(groups, others[0], RESOURCE_GROUPS),
        types=_trimmed(types, others[1], len(types)),
        owners=_trimmed(owners, others[2], len(owners)),
    )


def _add(rows: dict[str, Row], key: str, row: Row) -> None:
    before = rows.get(key)
    rows[key] = row if before is None else before + row


def _trimmed(rows: Mapping[str, Row], others: Count, most: int) -> Rows:
    """Keep those with the most violations, in the order of their keys, and add the others up."""
    worst = sorted(rows.items(), key=lambda item: (-item[1].count.violated, -item[1].count.evaluated, item[0]))
    return Rows(dict(sorted(worst[:most])), sum((row.count for _, row in worst[most:]), others))


def _badness(row: Row) -> tuple[int, int, str, str]:
    return -row.count.violated, row.count.compliant, row.name, row.within
