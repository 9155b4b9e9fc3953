"""Definitions: whatever an answer does not say literally keeps the thing, and it is told what the answer says."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared_code.definitions import (
    evidence,
    filled,
    in_list,
    managed,
    misread,
    names_in,
    not_a_list,
    not_empty,
    not_said,
    part,
    quoted,
    refers,
    said,
    texts_in,
    too_recent,
    unsettled,
    usual,
)
from shared_code.durations import Duration
from shared_code.model import Kind
from tests.cleanup import GONE, NOW, Json, around, group, ref, target

DISK = "unattached-disk"
DISKS = frozenset({"microsoft.compute/disks"})
VM = ref("Microsoft.Compute/virtualMachines/vm")["id"]


def reasons(found: Iterator[str]) -> list[str]:
    return list(found)


class TestMisread:
    """It must be what the rule is about, and what was read must be of it."""

    def test_its_own_definition_in_any_spelling(self) -> None:
        loud = {"id": target(DISK).id.upper(), "type": "MICROSOFT.COMPUTE/DISKS"}

        assert reasons(misread(target(DISK), DISKS)) == []
        assert reasons(misread(target(DISK, loud), DISKS)) == []
        assert reasons(misread(target(DISK, type="microsoft.compute/DISKS"), DISKS)) == []

    @pytest.mark.parametrize(
        ("changes", "more", "reason"),
        [
            ({}, {"kind": Kind.RESOURCE_GROUP}, "the rule is not about a resource-group of type"),
            ({"type": "x/y"}, {"type": "x/y"}, "the rule is not about a resource of type 'x/y'"),
            ({"id": VM}, {}, "that has another id, or none"),
            ({"id": GONE}, {}, "that has another id, or none"),
            ({"type": "Microsoft.Compute/snapshots"}, {}, "that has another type, or none"),
            ({"type": GONE}, {}, "that has another type, or none"),
            ({"properties": {}}, {}, "its definition has no properties"),
            ({"properties": GONE}, {}, "its definition has no properties"),
        ],
    )
    def test_anything_else_is_told(self, changes: Json, more: Json, reason: str) -> None:
        [only] = misread(target(DISK, changes, **more), DISKS)

        assert reason in only


class TestUnsettled:
    """Its provider must have left it in the state in which all is done."""

    @pytest.mark.parametrize("state", ["Succeeded", "succeeded", "SUCCEEDED"])
    def test_settled(self, state: str) -> None:
        assert reasons(unsettled(target(DISK, {"properties.provisioningState": state}))) == []

    @pytest.mark.parametrize(
        ("state", "reason"),
        [
            (GONE, "Azure does not say its provisioningState"),
            (None, "its provisioningState is null, not 'Succeeded'"),
            ("Ready", "its provisioningState is 'Ready', not 'Succeeded'"),
            ("Succeede\u017f", "its provisioningState is 'Succeede\u017f', not 'Succeeded'"),
            (["Succeeded"], "its provisioningState is a list of 1, the first of them 'Succeeded', not 'Succeeded'"),
        ],
    )
    def test_not(self, state: object, reason: str) -> None:
        assert reasons(unsettled(target(DISK, {"properties.provisioningState": state}))) == [reason]

    def test_another_property_is_ready(self) -> None:
        plan = target(DISK, {"properties.state": "Ready"})

        assert reasons(unsettled(plan, "state")) == []
        assert reasons(unsettled(target(DISK, {"properties.state": "Succeeded"}), "state")) == [
            "its state is 'Succeeded', not 'Ready'"
        ]


class TestManaged:
    """Nothing and nobody manages it, or the group it is in."""

    def test_by_nobody(self) -> None:
        """A text or a list that is empty names nobody."""
        empty: tuple[object, ...] = ("", None, [])
        silent: list[Json] = [{}, *({"managedBy": value, "properties.managedBy": value} for value in empty[:2])]
        silent += [{"managedByExtended": value, "properties.managedByExtended": value} for value in empty]
        for changes in silent:
            assert reasons(managed(target(DISK, changes, managed_by=""), around(group=group(managed_by="")))) == []

    @pytest.mark.parametrize(
        ("changes", "more"), [({}, {"managed_by": VM}), ({"managedBy": VM}, {}), ({"properties.managedBy": VM}, {})]
    )
    def test_by_something(self, changes: Json, more: Json) -> None:
        assert reasons(managed(target(DISK, changes, **more), around())) == [f"it is managed by '{VM}'"]

    @pytest.mark.parametrize("place", ["managedByExtended", "properties.managedByExtended"])
    def test_by_several(self, place: str) -> None:
        assert reasons(managed(target(DISK, {place: [VM]}), around())) == [
            f"it is shared: managedByExtended is a list of 1, the first of them '{VM}'"
        ]

    def test_with_its_group(self) -> None:
        assert reasons(managed(target(DISK), around(group=group(managed_by=VM)))) == [
            f"its resource group is managed by '{VM}'"
        ]
        assert reasons(managed(target(DISK), around(group=None))) == ["its resource group was not read"]


def test_what_keeps_any_resource_is_all_of_these() -> None:
    odd = target(DISK, {"id": GONE, "properties.provisioningState": "Updating", "managedBy": VM})
    pool = target(DISK, {"properties.provisioningState": GONE, "properties.state": "Ready"})

    assert reasons(usual(target(DISK), around(), DISKS)) == []
    assert reasons(usual(pool, around(), DISKS, state="state")) == []
    assert [each.split(",")[0].split(":")[0] for each in usual(odd, around(), DISKS)] == [
        "what was read is not its definition",
        "its provisioningState is 'Updating'",
        f"it is managed by '{VM}'",
    ]


SAYS: Json = {"none": [], "null": None, "one": [1], "state": "Idle"}


class TestProperties:
    """A property that is absent, null or of another shape is a reason, but for what Azure is known to leave out."""

    def test_filled(self) -> None:
        assert reasons(filled(SAYS, "none", "absent")) == []
        assert reasons(filled(SAYS, "null", "one")) == [
            "it is in use: its null is null",
            "it is in use: its one is a list of 1, the first of them 1",
        ]
        assert reasons(filled(SAYS, "one", means="it has users")) == [
            "it has users: its one is a list of 1, the first of them 1"
        ]

    def test_not_empty(self) -> None:
        assert reasons(not_empty(SAYS, "none")) == []
        assert reasons(not_empty(SAYS, "absent", "null", means="used")) == [
            "Azure does not say its absent",
            "used: its null is null",
        ]

    def test_not_said(self) -> None:
        """Letter for letter: a state in another spelling is one that nobody knows."""
        assert reasons(not_said(SAYS, "state", "Busy", "Idle")) == []
        assert reasons(not_said(SAYS, "state", "idle", "Busy")) == ["its state is 'Idle', not 'idle' or 'Busy'"]
        assert reasons(not_said(SAYS, "absent", "Idle")) == ["Azure does not say its absent"]

    def test_not_a_list(self) -> None:
        assert reasons(not_a_list(SAYS, "none", "one")) == []
        assert reasons(not_a_list(SAYS, "null", "absent")) == [
            "the answer is not whole: its null is no list",
            "the answer is not whole: its absent is no list",
        ]

    def test_refers(self) -> None:
        """However deep, and however the id is spelled; plain texts and what is harmless do not count."""
        deep = {"link": {"to": [{"id": VM.upper()}]}, "name": "providers", "subnet": VM}

        assert reasons(refers(deep, {"subnet"})) == ["it is tied to something: its link is an object"]
        assert len(reasons(refers(deep))) == 2


class TestLists:
    """What a rule asks for besides the definition."""

    def test_an_empty_one_was_read(self) -> None:
        assert reasons(in_list(around(lists={"sites": ()}), "sites", "apps")) == []

    def test_one_that_was_not_read(self) -> None:
        assert reasons(in_list(around(lists={}), "sites", "apps")) == ["the list of its apps was not read"]

    @pytest.mark.parametrize(
        ("items", "reason"),
        [
            (({},), "its list of apps has 1 in it"),
            (({"name": "web"},), "its list of apps has 1 in it, 'web' among them"),
            (({}, {"name": "web", "id": "/web"}), "its list of apps has 2 in it, '/web' among them"),
        ],
    )
    def test_something_is_in_it(self, items: tuple[Json, ...], reason: str) -> None:
        assert reasons(in_list(around(lists={"sites": items}), "sites", "apps")) == [reason]


class TestTimes:
    """A time must be read with certainty, and be long enough ago."""

    AGE = Duration.parse("14d")

    def test_exactly_the_age_is_enough(self) -> None:
        at = NOW - self.AGE.length

        assert reasons(too_recent(at.isoformat(), "it was made", self.AGE, NOW)) == []
        assert reasons(too_recent((at + timedelta(seconds=1)).isoformat(), "it was made", self.AGE, NOW)) == [
            "it was made 2026-11-08T06:00:01Z, less than 14d ago"
        ]

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            (None, "Azure does not say when it was made"),
            ("2026-01-01", "Azure does not say when it was made: '2026-01-01' is no time"),
            (1767225600, "Azure does not say when it was made: 1767225600 is no time"),
        ],
    )
    def test_one_that_cannot_be_read(self, given: object, reason: str) -> None:
        assert reasons(too_recent(given, "it was made", self.AGE, NOW)) == [reason]


def test_everything_nested_is_found() -> None:
    nested: Json = {"a": ["x", {"b": "y"}, 3], "c": None, "d": {"e": ["z"]}}

    assert sorted(texts_in(nested)) == ["x", "y", "z"]
    assert sorted(names_in([nested])) == ["a", "b", "c", "d", "e"]
    assert (part(nested, "c"), part({"b": 1}, "b"), part(nested, "x"), part(["a"], "a")) == (None, 1, None, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (42.5, "42.5"),
        (10**15 - 1, "999999999999999"),
        (10**15, "a number"),
        (-(10**15), "a number"),
        ("x\ny", "'x y'"),
        ({"id": "/x"}, "'/x'"),
        ({"id": 1}, "an object"),
        ({}, "an object"),
        ([], "an empty list"),
        ([{"id": "/x"}, 2], "a list of 2, the first of them '/x'"),
        ([["/x"]], "a list of 1, the first of them a list"),
    ],
)
def test_a_value_is_told_in_a_few_words(value: object, text: str) -> None:
    assert said(value) == text


def test_what_strangers_wrote_is_one_line_and_not_long() -> None:
    hostile: Any = "x\r\nERROR forged\u202e" * 100
    facts = evidence(text=hostile)
    for told in (quoted(hostile), said(hostile), said([hostile]), facts["text"], *refers({hostile: VM})):
        assert told.isprintable()
        assert len(told) < 500
    assert len(facts["text"]) == 200


def test_facts_are_texts_numbers_and_truths() -> None:
    """What is missing is left out."""
    facts = evidence(size=128, share=0.5, shared=False, name="data", blank="", none=None, many=[1])

    assert facts == {"size": "128", "share": "0.5", "shared": "false", "name": "data"}
