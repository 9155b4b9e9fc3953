"""Compliance: what was not judged is never compliant, and parts add up in any order."""

from collections.abc import Callable
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.compliance import OWNERS, Compliance, Count, Row, Rows, Tally, whole
from shared_code.model import Kind, Subject

RULES = ("env", "owner", "cost-center")
STATES = some.sampled_from(["compliant", "violated", "exempted", "unknown", "not applied"])


class Thing(msgspec.Struct, frozen=True):
    """A thing and what became of each rule."""

    group: str | None
    type: str
    owner: str | None
    checks: tuple[str, ...]

    def rules(self, *states: str) -> tuple[str, ...]:
        return tuple(rule for rule, state in zip(RULES, self.checks, strict=True) if state in states)


THINGS = some.builds(
    Thing,
    group=some.sampled_from([None, "rg-a", "RG-A", "rg-b"]),
    type=some.sampled_from(["Microsoft.Web/sites", "microsoft.web/Sites", "a/b"]),
    owner=some.sampled_from([None, "", "ann", "Ann", "<b>", "=1+1"]) | some.text(max_size=2),
    checks=some.tuples(STATES, STATES, STATES),
)
PARTS = some.lists(some.lists(THINGS, max_size=8), max_size=5)


def subject(thing: Thing, number: int = 1) -> Subject:
    return Subject(
        kind=Kind.RESOURCE,
        id="/x",
        name="x",
        type=thing.type,
        location=None,
        tags={},
        managed_by=None,
        subscription_id=f"S{number}",
        subscription_name=f"Sub {number}",
        resource_group=thing.group,
    )


def counted(things: list[Thing], number: int = 1) -> Compliance:
    tally = Tally(f"S{number}", f"Sub {number}")
    for thing in things:
        tally.add(
            subject(thing, number),
            thing.owner,
            evaluated=thing.rules("compliant", "violated", "exempted"),
            violated=thing.rules("violated"),
            exempted=thing.rules("exempted"),
            unknown=thing.rules("unknown"),
        )
    return tally.result()


def plain(things: list[Thing], rules: tuple[str, ...] = RULES) -> Count:
    """Count one by one."""
    states = [state for thing in things for rule, state in zip(RULES, thing.checks, strict=True) if rule in rules]
    compliant, violated, exempted, unknown = map(states.count, ["compliant", "violated", "exempted", "unknown"])
    return Count(compliant + violated + exempted, violated, exempted, unknown)


def grouped(
    things: list[Thing], name: Callable[[Thing], str | None], same: Callable[[str], str] = str.casefold
) -> dict[str, Count]:
    """Count one by one, by a name that some things have."""
    found: dict[str, list[Thing]] = {}
    for thing in things:
        called = name(thing)
        if called is not None:
            found.setdefault(same(called), []).append(thing)
    return {called: plain(each) for called, each in found.items()}


def counts(rows: Rows) -> dict[str, Count]:
    return {name: row.count for name, row in rows.rows.items()}


class TestCount:
    @pytest.mark.parametrize(
        ("count", "percent"),
        [
            (Count(), None),
            (Count(evaluated=3, exempted=3), None),
            (Count(unknown=5), None),
            (Count(evaluated=4), 100.0),
            (Count(evaluated=4, violated=1), 75.0),
            (Count(evaluated=4, violated=1, exempted=1), 66.6),
            (Count(evaluated=4, violated=4), 0.0),
            (Count(evaluated=1_000_000, violated=1), 99.9),
        ],
    )
    def test_percent_is_of_what_was_judged_and_never_rounded_up(self, count: Count, percent: float | None) -> None:
        """Percent of nothing is nothing to judge, and 100 means that all is well."""
        assert count.percent == percent

    @given(
        compliant=some.integers(0, 50), violated=some.integers(0, 50),
        unjudged=some.tuples(some.integers(0, 50), some.integers(0, 50)),
    )  # fmt: skip
    def test_what_was_not_judged_never_raises_a_percentage(
        self, compliant: int, violated: int, unjudged: tuple[int, int]
    ) -> None:
        exempted, unknown = unjudged
        without = Count(compliant + violated, violated)
        count = Count(compliant + violated + exempted, violated, exempted, unknown)

        assert count.percent == without.percent
        assert count.compliant == compliant


class TestTally:
    @given(things=some.lists(THINGS, max_size=20))
    def test_counts_every_check_in_every_direction(self, things: list[Thing]) -> None:
        found = counted(things)

        everything = plain(things)
        assert found.total == everything
        assert found.subjects == len(things)
        assert found.rules == {
            rule: plain(things, rules=(rule,)) for rule in sorted(RULES) if plain(things, rules=(rule,)) != Count()
        }
        assert found.subscriptions == {"s1": Row("Sub 1", everything)}
        assert counts(found.resource_groups) == {
            f"s1/{name}": count for name, count in grouped(things, lambda thing: thing.group).items()
        }
        assert {row.within for row in found.resource_groups.rows.values()} <= {"Sub 1"}
        assert counts(found.types) == grouped(things, lambda thing: thing.type)
        assert counts(found.owners) == grouped(things, lambda thing: thing.owner or "", same=str)

    @given(things=some.lists(THINGS, max_size=20), rnd=some.randoms())
    def test_the_order_of_pages_does_not_matter(self, things: list[Thing], rnd: Random) -> None:
        shuffled = list(things)
        rnd.shuffle(shuffled)

        assert counted(shuffled) == counted(things)

    def test_what_is_left_out_is_counted_by_reason_and_not_compliant(self) -> None:
        tally = Tally("S1", "Sub 1")
        for reason in ("managed", "cannot carry tags", "managed"):
            tally.leave_out(reason)

        found = tally.result()
        assert (found.left_out, found.subjects) == ({"cannot carry tags": 1, "managed": 2}, 0)
        assert found.percent is None

    def test_many_owners_are_summed_exactly(self) -> None:
        """However many: a part stays small, and no check is lost."""
        things = [
            Thing("rg", "a/b", f"owner {number}", ("violated" if number % 7 else "compliant",) * 3)
            for number in range(3 * 10 * OWNERS)
        ]
        found = counted(things)

        assert len(found.owners.rows) == OWNERS
        assert found.owners.total == plain(things)
        assert all(row.count.violated for row in found.owners.rows.values())
        assert len(msgspec.json.encode(found)) < 20_000

    def test_many_combinations_of_rules_are_counted_together(self) -> None:
        thing = Thing("rg", "a/b", None, ("compliant",) * 3)
        tally = Tally("S1", "Sub 1")
        for number in range(10_000):
            tally.add(subject(thing), None, evaluated=(f"rule-{number}", "owner"), violated=("owner",))

        assert len(tally._checks) <= 4096
        assert tally.result().rules["owner"] == Count(10_000, 10_000)

    @pytest.mark.parametrize(
        "checks",
        [
            {"violated": ("b",)},
            {"exempted": ("b",)},
            {"violated": ("a",), "exempted": ("a",)},
            {"unknown": ("a",)},
            {"violated": ("a", "a")},
        ],
        ids=[
            "violated unevaluated",
            "exempted unevaluated",
            "violated and exempted",
            "evaluated and not",
            "violated twice",
        ],
    )
    def test_a_check_has_one_result(self, checks: dict[str, tuple[str, ...]]) -> None:
        tally = Tally("S1", "")
        tally.add(subject(Thing("rg", "a/b", None, ("x",) * 3)), None, evaluated=("a",), **checks)

        with pytest.raises(ValueError, match="never two"):
            tally.result()

    @given(things=some.lists(THINGS, max_size=5))
    def test_a_part_comes_back_from_json_as_it_was(self, things: list[Thing]) -> None:
        found = counted(things)

        assert msgspec.json.decode(msgspec.json.encode(found), type=Compliance) == found


class TestWhole:
    @given(parts=PARTS, rnd=some.randoms())
    def test_adds_up_in_any_order_and_in_steps(self, parts: list[list[Thing]], rnd: Random) -> None:
        each = [counted(things, number) for number, things in enumerate(parts)]
        shuffled = list(each)
        rnd.shuffle(shuffled)

        found = whole(each)
        assert found == whole(shuffled) == whole([whole(each[:2]), whole(each[2:])])
        everything = plain([thing for things in parts for thing in things])
        assert found.total == found.types.total == found.owners.total == everything
        assert sum((row.count for row in found.subscriptions.values()), Count()) == everything

    def test_nothing_is_nothing_to_judge(self) -> None:
        assert (whole([]).percent, whole([]).percent_by_rule) == (None, {})

    def test_resource_groups_of_the_same_name_in_two_subscriptions_are_two(self) -> None:
        thing = Thing("rg", "a/b", None, ("violated",) * 3)

        groups = whole([counted([thing], 1), counted([thing], 2)]).resource_groups
        assert [(row.name, row.within) for row in groups.rows.values()] == [("rg", "Sub 1"), ("rg", "Sub 2")]

    def test_the_worst_resource_groups_are_exact_however_many_there_are(self) -> None:
        """They are told apart as far as a reader could want, and the others are summed."""
        parts = [
            Compliance(
                resource_groups=Rows(
                    {
                        f"s{part}/rg-{number}": Row(f"rg-{number}", Count(20_000, part * 980 + number), f"s{part}")
                        for number in range(980)
                    }
                )
            )
            for part in range(14)
        ]

        found = whole(parts).resource_groups
        assert found == whole(parts[::-1]).resource_groups
        assert len(found.rows) == 1000
        assert found.total == Count(14 * 980 * 20_000, sum(range(14 * 980)))
        assert [row.count.violated for row in found.worst(3)] == [13_719, 13_718, 13_717]


class TestWorst:
    def test_most_violations_first_then_fewest_compliant_and_none_without_any(self) -> None:
        rows = Rows(
            {
                name: Row(name, count)
                for name, count in {
                    "well": Count(9), "few": Count(2, 1), "half": Count(4, 2), "all": Count(2, 2),
                }.items()
            }
        )  # fmt: skip

        assert [row.name for row in rows.worst(10)] == ["all", "half", "few"]
        assert [row.name for row in rows.worst(1)] == ["all"]
        assert [row.name for row in rows.ranked()] == ["all", "half", "few", "well"]
