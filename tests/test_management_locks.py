"""Management locks: a thing is protected by the locks at it, above it and below it, however ids are spelled."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.management_locks import ManagementLocks
from shared_code.model import Lock
from tests.fakes import lock

SUB = "/subscriptions/00000000-0000-4000-8000-000000000001"
GROUP = f"{SUB}/resourceGroups/rg-Web"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
SUBNET = f"{VNET}/subnets/default"
DIAGNOSTICS = f"{VNET}/providers/Microsoft.Insights/diagnosticSettings/d"
POLICY = f"{SUB}/providers/Microsoft.Authorization/policyAssignments/p"


def names(found: tuple[Lock, ...]) -> list[str]:
    return [each.name for each in found]


@pytest.mark.parametrize(
    ("scope", "thing", "expected"),
    [
        (SUB, GROUP, True),
        (SUB, SUBNET, True),
        (SUB, POLICY, True),
        (GROUP, GROUP, True),
        (GROUP, SUBNET, True),
        (GROUP, SUB, True),
        (SUBNET, VNET, True),
        (SUBNET, GROUP, True),
        (SUBNET, SUB, True),
        (VNET, DIAGNOSTICS, True),
        (DIAGNOSTICS, GROUP, True),
        (SUBNET, DIAGNOSTICS, False),
        (SUBNET, f"{VNET}/subnets/other", False),
        (GROUP, f"{GROUP}-not", False),
        (f"{GROUP}-not", GROUP, False),
        (VNET, f"{VNET}2", False),
        (GROUP, POLICY, False),
        (GROUP, f"{SUB}0/resourceGroups/rg-Web", False),
    ],
)
def test_above_at_and_below_protect_and_beside_does_not(scope: str, thing: str, *, expected: bool) -> None:
    """A name that only begins like another is another."""
    assert bool(ManagementLocks([lock(scope)]).on(thing)) is expected


@pytest.mark.parametrize(
    ("scope", "thing"),
    [
        (GROUP.upper(), GROUP),
        (GROUP.replace("resourceGroups", "resourcegroups"), VNET.upper()),
        (VNET.replace("Microsoft.Network", "microsoft.network"), VNET),
        (GROUP + "/", GROUP),
        (f"{GROUP}/providers/Microsoft.Compute//disks/d", f"{GROUP}/providers/Microsoft.Compute/disks/d"),
        (f"{GROUP}/providers/a.b/c/x%20y", f"{GROUP}/providers/a.b/c/X y"),
        (f"{GROUP}/providers/a.b/c/100%25ab/d/e", f"{GROUP}/providers/a.b/c/100%25ab"),
        (f"{GROUP}/providers/a.b/c/a%2541/d/e", f"{GROUP}/providers/a.b/c/a%2541"),
        (f"{GROUP}/providers/a.b/c/x%2Fy/d/e", f"{GROUP}/providers/a.b/c/x%2fy"),
    ],
)
def test_spelling_makes_no_difference(scope: str, thing: str) -> None:
    """Neither for a lock below, nor for one at the thing."""
    assert ManagementLocks([lock(scope)]).on(thing)


def test_locks_come_in_the_order_of_their_ids_and_once() -> None:
    """Lists in another order, or with one item on two pages, say the same."""
    three = [lock(SUBNET, "b"), lock(SUB, "c"), lock(GROUP, "A")]

    found = ManagementLocks([*three, *reversed(three), lock(GROUP.upper(), "a")])

    assert len(found) == 3
    assert [name.casefold() for name in names(found.on(GROUP))] == ["c", "a", "b"]


def test_no_locks() -> None:
    """Read and empty."""
    assert len(ManagementLocks([])) == 0
    assert ManagementLocks([]).on(GROUP) == ()


NAME = some.sampled_from(["a", "A", "ab", "a b", "a%", "100%25", "x/y", "ß", "ss", "δς", "ΔΣ", "providers", "locks"])
TYPE = some.sampled_from(["t", "T", "tt", "subnets"])


@some.composite
def things(draw: some.DrawFn) -> tuple[str, ...]:
    """The segments of a scope, decoded: subscription, group, resource, child and extension."""
    found: tuple[str, ...] = ("subscriptions", draw(some.sampled_from(["s1", "S1", "s2"])))
    if draw(some.integers(0, 5)):
        found += ("resourceGroups", draw(NAME).replace("/", "").replace("%", ""))
    for _ in range(draw(some.integers(0, 2))):
        found += ("providers", draw(some.sampled_from(["Ns.A", "ns.a", "Ns.B"])), draw(TYPE), draw(NAME))
        for _ in range(draw(some.integers(0, 2))):
            found += (draw(TYPE), draw(NAME))
    return found


def spelled(data: some.DataObject, segments: tuple[str, ...]) -> str:
    """One of Azure's spellings of an id."""
    case = data.draw(some.sampled_from([str, str.lower, lambda text: text.upper().replace("SS", "ss")]))
    safe = data.draw(some.sampled_from(["", " ()"]))
    return "".join(f"/{quote(_plain(case, each), safe=safe)}" for each in segments)


def _plain(case: object, text: str) -> str:
    # Upper-casing makes two letters of a sharp s, which Azure does not.
    return text if "ß" in text else case(text)  # type: ignore[operator]


def same(one: str, other: str) -> bool:
    return one == other or one.upper() == other.upper() != "SS"


def is_prefix(upper: tuple[str, ...], lower: tuple[str, ...]) -> bool:
    return len(upper) <= len(lower) and all(map(same, upper, lower))


@given(data=some.data(), scopes=some.lists(things(), max_size=6), thing=things())
def test_protects_exactly_what_is_above_at_or_below(
    data: some.DataObject, scopes: list[tuple[str, ...]], thing: tuple[str, ...]
) -> None:
    """Against a comparison of the decoded ids, segment by segment, over random trees and spellings."""
    locks = [lock(spelled(data, scope), f"l{number}") for number, scope in enumerate(scopes)]

    found = ManagementLocks(locks).on(spelled(data, thing))

    expected = {
        f"l{number}" for number, scope in enumerate(scopes) if is_prefix(scope, thing) or is_prefix(thing, scope)
    }
    assert set(names(found)) == expected
    assert len(found) == len(expected)
