"""Which rules apply to what: include, then exclude, and exclude wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.applicability import Applicability, _Dimension
from shared_code.model import Kind, Subject
from shared_code.tag_keys import fold
from shared_code.tag_rules import AppliesTo
from tests.tagging import CONDITIONS, SUBJECTS, SUBSCRIPTION, group, resource, subscription


def applies(condition: AppliesTo, subject: Subject) -> bool:
    return Applicability([condition]).of(subject, {fold(key): key for key in subject.tags}) == 1


ALL = tuple(Kind)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (AppliesTo(), True),
        (AppliesTo(kinds=(Kind.RESOURCE_GROUP,)), False),
        (AppliesTo(types=("microsoft.web/*",)), True),
        (AppliesTo(types=("microsoft.web",)), False),
        (AppliesTo(types=("*",), exclude_types=("Microsoft.Web/SITES",)), False),
        (AppliesTo(resource_groups=("RG-*",)), True),
        (AppliesTo(resource_groups=("rg-*",), exclude_resource_groups=("rg-w*",)), False),
        (AppliesTo(subscriptions=(SUBSCRIPTION.upper(),)), True),
        (AppliesTo(subscriptions=("prod*",)), True),
        (AppliesTo(subscriptions=("dev*",)), False),
        (AppliesTo(subscriptions=("*",), exclude_subscriptions=("prod*",)), False),
        (AppliesTo(subscriptions=("prod*",), exclude_subscriptions=(SUBSCRIPTION,)), False),
        (AppliesTo(locations=("West Europe",)), True),
        (AppliesTo(locations=("north*",)), False),
        (AppliesTo(exclude_locations=("WEST europe",)), False),
        (AppliesTo(tags={"ENV": "d*"}), True),
        (AppliesTo(tags={"env": "d*", "tier": "*"}), False),
        (AppliesTo(tags={"env": "p*"}), False),
        (AppliesTo(exclude_tags={"Env": "*"}), False),
        (AppliesTo(exclude_tags={"env": "p*", "tier": "*"}), True),
    ],
)
def test_to_a_resource(condition: AppliesTo, expected: bool) -> None:
    assert applies(condition, resource({"Env": "dev"})) is expected


def test_a_group_is_known_by_its_own_name_and_place() -> None:
    condition = AppliesTo(kinds=ALL, resource_groups=("rg-web",), locations=("westeurope",))

    assert applies(condition, group())


def test_a_subscription_is_in_no_group_and_no_location() -> None:
    assert applies(AppliesTo(kinds=ALL), subscription())
    assert applies(AppliesTo(kinds=ALL, exclude_resource_groups=("*",)), subscription())
    assert not applies(AppliesTo(kinds=ALL, resource_groups=("rg-*",)), subscription())
    assert not applies(AppliesTo(kinds=ALL, locations=("westeurope",)), subscription())


@given(conditions=some.lists(CONDITIONS, max_size=5), subjects=some.lists(SUBJECTS, max_size=4))
def test_what_is_remembered_changes_no_answer(conditions: list[AppliesTo], subjects: list[Subject]) -> None:
    together = Applicability(conditions)
    for subject in [*subjects, *subjects]:
        folded = {fold(key): key for key in sorted(subject.tags)}
        alone = [Applicability([each]).of(subject, folded) for each in conditions]

        assert together.of(subject, folded) == sum(flag << bit for bit, flag in enumerate(alone))


def test_what_is_remembered_is_bounded() -> None:
    dimension = _Dimension([(("rg-*",), ())])

    assert all(dimension.of(f"rg-{number}") for number in range(10_000))
    assert len(dimension._known) <= 4096
