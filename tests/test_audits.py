"""The audit of one subject: the rules that apply, and no other; what is left alone, with the reason."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_code.applicability import Applicability
from shared_code.audits import Audited, Skip, TagRules
from shared_code.model import Kind, Subject
from shared_code.tag_check import Check
from shared_code.tag_keys import fold
from shared_code.tag_rules import AppliesTo, TagRule
from tests.tagging import RULES, SUBJECTS, group, resource, rule, subscription


def kinds(audited: Audited) -> list[str]:
    return [f"{each.rule}: {each.kind}" for each in audited.violations]


def test_says_which_rules_were_evaluated_and_which_are_broken() -> None:
    rules = TagRules(
        [
            rule(name="env", required=True),
            rule("owner", name="owner", required=True),
            rule("x", name="of-groups", required=True, applies_to=AppliesTo(kinds=(Kind.RESOURCE_GROUP,))),
            rule(None, name="number", max_tags=1),
        ]
    )

    audited = rules.audit(resource({"OWNER": "web", "tier": "1"}))

    assert audited.rules == ("env", "owner", "number")
    assert kinds(audited) == ["env: missing", "number: count"]
    assert audited.skipped is None


def test_a_rule_is_had_by_its_name() -> None:
    assert TagRules([rule(name="env", required=True)])["env"].rule.tag == "env"


class TestLeftAlone:
    RULES = TagRules([rule(required=True, applies_to=AppliesTo(kinds=tuple(Kind)))], {}, {"Microsoft.Web/Sites"})

    @pytest.mark.parametrize("owner", ["/subscriptions/x/resourceGroups/y", "test_admin"])
    def test_a_managed_group(self, owner: str) -> None:
        assert self.RULES.audit(group(managed_by=owner)) == Audited((), skipped=Skip.MANAGED)

    def test_what_is_in_a_managed_group(self) -> None:
        vault = resource(type="Microsoft.KeyVault/vaults")

        assert self.RULES.audit(vault, in_managed_group=True) == Audited((), skipped=Skip.MANAGED)

    def test_not_a_disk_for_being_its_machines(self) -> None:
        disk = resource(type="Microsoft.Compute/disks", managed_by="/subscriptions/x/vm")

        assert kinds(self.RULES.audit(disk)) == ["a-rule: missing"]

    def test_a_type_that_cannot_carry_tags(self) -> None:
        assert self.RULES.audit(resource()) == Audited((), skipped=Skip.UNTAGGABLE)

    def test_no_group_and_no_subscription_for_its_type(self) -> None:
        rules = TagRules([rule(required=True)], {}, {"Microsoft.Resources/resourceGroups"})

        assert rules.audit(group()).skipped is None
        assert rules.audit(subscription()).skipped is None


class TestAnything:
    @given(judged=some.lists(RULES, max_size=4), subjects=some.lists(SUBJECTS, max_size=4))
    @settings(max_examples=500)
    def test_the_fast_way_and_the_plain_one_agree(self, judged: list[TagRule], subjects: list[Subject]) -> None:
        """Only rules that apply are evaluated, each as if it were alone and the first to look."""
        judged = [msgspec.structs.replace(each, name=f"r-{number}") for number, each in enumerate(judged)]
        rules = TagRules(judged)
        for subject in subjects:
            audited = rules.audit(subject)
            applying = [each for each in judged if applies(each, subject)]

            assert audited.rules == tuple(each.name for each in applying)
            assert by_rule(audited.violations) == by_rule(
                found for each in applying for found in Check(each, {}).violations(subject.tags)
            )

    @given(judged=some.lists(RULES, max_size=4), subject=SUBJECTS, order=some.randoms())
    def test_the_order_of_tags_does_not_matter(self, judged: list[TagRule], subject: Subject, order: Any) -> None:
        shuffled = list(subject.tags.items())
        order.shuffle(shuffled)
        again = msgspec.structs.replace(subject, tags=dict(shuffled))

        assert TagRules(judged).audit(subject) == TagRules(judged).audit(again)


def applies(judged: TagRule, subject: Subject) -> bool:
    folded = {fold(key): key for key in sorted(subject.tags, reverse=True)}
    return bool(Applicability([judged.applies_to]).of(subject, folded))


def by_rule(violations: Iterable[Any]) -> list[Any]:
    return sorted(violations, key=lambda each: (each.rule, each.kind))
