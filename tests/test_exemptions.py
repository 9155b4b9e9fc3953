"""Exemptions: what they cover, until when, and what becomes of those that ended."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.exemptions import Exemption, Exemptions, expired_finding, problems_of
from shared_code.model import Severity, Subject
from shared_code.tag_check import Check
from shared_code.violations import Violation
from tests.tagging import GROUP, SUBSCRIPTION, group, resource, rule, subscription

LAST_DAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


def exemption(**said: Any) -> Exemption:
    usual: dict[str, Any] = {
        "scope": GROUP,
        "rules": ("env",),
        "reason": "Moves away.",
        "author": "somebody@example.com",
        "expires": LAST_DAY,
    }
    return Exemption(**(usual | said))


def violations(*names: str) -> list[Violation]:
    return [each for name in names for each in Check(rule(name=name, required=True), {}).violations({})]


class TestCovers:
    @pytest.mark.parametrize("subject", [group(), resource()])
    def test_its_scope_and_all_below(self, subject: Subject) -> None:
        (found,) = violations("env")

        result = Exemptions([exemption()], NOON).sort(subject, [found])

        assert result.open == ()
        assert result.exempted == ((found, exemption()),)

    def test_nothing_above_and_nothing_beside(self) -> None:
        held = Exemptions([exemption()], NOON)
        neighbour = resource(id=f"{GROUP}-2/providers/Microsoft.Web/sites/shop")

        assert held.sort(subscription(), violations("env")).open
        assert held.sort(neighbour, violations("env")).open

    @pytest.mark.parametrize("scope", [GROUP.upper(), GROUP.replace("resourceGroups", "resourcegroups") + "/"])
    def test_without_case(self, scope: str) -> None:
        assert Exemptions([exemption(scope=scope)], NOON).sort(resource(), violations("env")).exempted

    def test_a_whole_subscription(self) -> None:
        held = Exemptions([exemption(scope=f"/subscriptions/{SUBSCRIPTION.upper()}")], NOON)

        assert all(held.sort(each, violations("env")).exempted for each in (subscription(), group(), resource()))

    def test_the_rules_it_names(self) -> None:
        env, owner = violations("env", "owner")

        result = Exemptions([exemption(rules=("own*",))], NOON).sort(resource(), [env, owner])

        assert (result.open, [each for each, _ in result.exempted]) == ((env,), [owner])

    @given(
        names=some.lists(some.sampled_from(["env", "owner", "tier"]), max_size=4),
        scopes=some.lists(some.sampled_from([GROUP, f"/subscriptions/{SUBSCRIPTION}", "/subscriptions/x"]), max_size=3),
        days=some.integers(-2, 2),
    )
    def test_no_violation_is_lost_and_none_is_complied_with(
        self, names: list[str], scopes: list[str], days: int
    ) -> None:
        found = violations(*names)
        held = Exemptions([exemption(scope=scope, rules=("e*",)) for scope in scopes], NOON + timedelta(days))

        result = held.sort(resource(), found)

        everything = [*result.open, *(each for each, _ in result.exempted)]
        assert sorted(everything, key=lambda each: each.rule) == sorted(found, key=lambda each: each.rule)


class TestEnds:
    @pytest.mark.parametrize(
        ("now", "holds"),
        [
            (datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC), True),
            (datetime(2026, 4, 1, tzinfo=UTC), False),
            (datetime.fromisoformat("2026-04-01T01:00:00+02:00"), True),
        ],
    )
    def test_with_its_last_day_in_utc(self, now: datetime, holds: bool) -> None:
        result = Exemptions([exemption()], now).sort(resource(), violations("env"))

        assert bool(result.exempted) is holds
        assert result.expired == (() if holds else (exemption(),))

    def test_with_the_last_day_there_is(self) -> None:
        assert Exemptions([exemption(expires=date.max)], NOON).sort(resource(), violations("env")).exempted

    def test_and_another_that_holds_covers_for_it(self) -> None:
        later = exemption(expires=date(2027, 1, 1), rules=("*",))
        held = Exemptions([exemption(), later], datetime(2026, 6, 1, tzinfo=UTC))

        result = held.sort(resource(), violations("env"))

        assert result.expired == ()
        assert [each for _, each in result.exempted] == [later]

    def test_and_is_nothing_to_speak_of_where_nothing_is_wrong(self) -> None:
        held = Exemptions([exemption()], datetime(2027, 1, 1, tzinfo=UTC))

        assert held.sort(resource(), []).expired == ()

    def test_and_is_a_finding_at_its_scope(self) -> None:
        found = expired_finding(exemption(reason="a\nb"))

        assert (found.rule, found.kind, found.resource_id) == ("exemption:env", "exemption-expired", GROUP)
        assert (found.subscription_id, found.severity) == (SUBSCRIPTION, Severity.MEDIUM)
        assert found.evidence == {"author": "somebody@example.com", "reason": "a b", "expires": "2026-03-31"}
        assert found.detail.startswith("the exemption from env ended on 2026-03-31, and is still needed here")


@pytest.mark.parametrize(
    ("said", "place", "expected"),
    [
        ({"scope": "rg-web"}, "e.scope", "'rg-web' is no id of a subscription, a resource group or a resource"),
        ({"scope": "/subscriptions/prod"}, "e.scope", "'/subscriptions/prod' is no id"),
        ({"scope": f"{GROUP}/providers/Microsoft.Web/sites"}, "e.scope", "is no id"),
        ({"scope": f"/subscriptions/{SUBSCRIPTION}/resourceGroups"}, "e.scope", "is no id"),
        ({"rules": ()}, "e.rules", 'is empty, so nothing is exempted; name rules, or write ["*"] for all'),
        ({"reason": " "}, "e.reason", "is blank; an exemption says who decided it, and why"),
        ({"author": ""}, "e.author", "is blank; an exemption says who decided it, and why"),
    ],
)
def test_what_is_wrong_with_one(said: dict[str, Any], place: str, expected: str) -> None:
    ((where, text),) = problems_of([("e", exemption(**said))])

    assert where == place
    assert expected in text


@pytest.mark.parametrize("scope", [GROUP, f"/subscriptions/{SUBSCRIPTION}", resource().id, resource().id + "/slots/a"])
def test_ids_of_all_sorts_are_scopes(scope: str) -> None:
    assert list(problems_of([("e", exemption(scope=scope))])) == []


def test_two_of_one_scope_and_rules_are_one_too_many() -> None:
    found = list(problems_of([("a", exemption()), ("b", exemption(scope=GROUP.upper()))]))

    assert found == [("b", "has the scope and the rules of an earlier exemption; keep one of the two")]
