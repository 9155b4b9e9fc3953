"""Exemptions: a scope, the rules that need not be kept there, and until when."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Annotated

import msgspec

from shared_code.foreign_text import one_line
from shared_code.meaning import says
from shared_code.model import Finding, Kind, Severity, Subject
from shared_code.resource_ids import key, scopes_of, type_and_name
from shared_code.scope import Globs, matches
from shared_code.tag_formats import is_guid
from shared_code.violations import Violation

EXPIRED = "exemption-expired"
"""The `kind` of the finding about an exemption that has ended and would still cover something."""


class Exemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[jobs.tag-audit.exemptions]]`: holds for the scope and everything below it, to the end of its last day, UTC."""

    scope: Annotated[str, says("The id of a subscription, a resource group or a resource.")]
    rules: Annotated[Globs, says("Names of the rules that need not be kept.", minItems=1)]
    reason: Annotated[str, says("Why.", minLength=1)]
    author: Annotated[str, says("Who decided it.", minLength=1)]
    expires: Annotated[date, says("The last day it holds, in UTC.")]

    @property
    def words(self) -> str:
        """The rules as steward.toml has them."""
        return ", ".join(one_line(rule, 80) for rule in self.rules)


class Sorted(msgspec.Struct, frozen=True):
    """Violations by what exemptions make of them.

    `expired` are those that would have covered one of `open`; report each once (`expired_finding`).
    """

    open: tuple[Violation, ...]
    exempted: tuple[tuple[Violation, Exemption], ...] = ()
    expired: tuple[Exemption, ...] = ()


class Exemptions:
    """The exemptions at one moment; may be asked from several threads."""

    def __init__(self, exemptions: Iterable[Exemption], now: datetime) -> None:
        self._today = now.astimezone(UTC).date()
        self._by_scope: dict[str, list[Exemption]] = {}
        for exemption in exemptions:
            self._by_scope.setdefault(key(exemption.scope), []).append(exemption)
        self._subscriptions = {_subscription(scope) for scope in self._by_scope}

    def sort(self, subject: Subject, violations: Sequence[Violation]) -> Sorted:
        """Tell which of a subject's violations are exempted; an exempted one is no compliance."""
        if not violations or subject.subscription_id.lower() not in self._subscriptions:
            return Sorted(tuple(violations))
        own = f"/subscriptions/{subject.subscription_id}" if subject.kind is Kind.SUBSCRIPTION else subject.id
        near = [each for scope in scopes_of(own) for each in self._by_scope.get(scope, ())]
        still_open: list[Violation] = []
        exempted: list[tuple[Violation, Exemption]] = []
        expired: list[Exemption] = []
        for violation in violations:
            covering = [each for each in near if matches(violation.rule, each.rules)]
            valid = next((each for each in covering if self._today <= each.expires), None)
            if valid:
                exempted.append((violation, valid))
            else:
                still_open.append(violation)
                expired += [each for each in covering if each not in expired]
        return Sorted(tuple(still_open), tuple(exempted), tuple(expired))


def expired_finding(exemption: Exemption) -> Finding:
    """Return what to report about an exemption that ended while what it covers is still so.

    Its `rule` is no name of a rule, so that it never stands in the ledger for a finding of one at the same id.
    """
    return Finding(
        rule=f"exemption:{','.join(exemption.rules)}",
        kind=EXPIRED,
        resource_id=exemption.scope,
        subscription_id=_subscription(key(exemption.scope)) or None,
        severity=Severity.MEDIUM,
        detail=(
            f"the exemption from {exemption.words} ended on {exemption.expires}, and is still needed here; mend the "
            f"tags, or renew it in steward.toml"
        ),
        evidence={
            "author": one_line(exemption.author),
            "reason": one_line(exemption.reason),
            "expires": str(exemption.expires),
        },
    )


def _subscription(scope: str) -> str:
    return scope.split("/")[2] if scope.startswith("/subscriptions/") else ""


def problems_of(exemptions: Sequence[tuple[str, Exemption]]) -> Iterator[tuple[str, str]]:
    """Give what is wrong with exemptions, each with its place."""
    earlier: set[tuple[str, tuple[str, ...]]] = set()
    for place, exemption in exemptions:
        if not _is_scope(exemption.scope):
            example = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-legacy"
            text = "is no id of a subscription, a resource group or a resource; write one such as"
            yield f"{place}.scope", f"'{one_line(exemption.scope, 120)}' {text} {example}"
        if not exemption.rules:
            yield f"{place}.rules", 'is empty, so nothing is exempted; name rules, or write ["*"] for all'
        for name in ("reason", "author"):
            if not getattr(exemption, name).strip():
                yield f"{place}.{name}", "is blank; an exemption says who decided it, and why"
        same = (key(exemption.scope), exemption.rules)
        if same in earlier:
            yield place, "has the scope and the rules of an earlier exemption; keep one of the two"
        earlier.add(same)


def cautions_of(exemptions: Sequence[tuple[str, Exemption]], rules: Collection[str]) -> Iterator[tuple[str, str]]:
    """Give what exempts from nothing."""
    for place, exemption in exemptions:
        for pattern in exemption.rules:
            if not any(matches(name, [pattern]) for name in rules):
                yield f"{place}.rules", f"'{one_line(pattern, 80)}' is the name of no rule"


def _is_scope(scope: str) -> bool:
    parts = key(scope).split("/")
    if parts[:2] != ["", "subscriptions"] or not all(parts[1:]) or not is_guid("".join(parts[2:3])):
        return False
    if len(parts) in (3, 5):
        return len(parts) == 3 or parts[3] == "resourcegroups"
    return type_and_name(scope) is not None
