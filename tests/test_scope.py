"""Scope: include, then exclude, and exclude wins; a request can only narrow it."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.model import Reading, Subscription, Verdict
from shared_code.scope import Scope, matches, select
from tests.fakes import subscription

PROD, TEST, LAB = subscription(1, "Prod Web"), subscription(2, "test-web"), subscription(3, "Lab [old]")


class TestGlobs:
    """`*`, `?` and `[…]` on the whole text, compared without case; `[[]` is a bracket."""

    @pytest.mark.parametrize(
        ("pattern", "text", "expected"),
        [
            ("*", "", True),
            ("*", "anything", True),
            ("prod-*", "PROD-web", True),
            ("PROD-*", "prod-web", True),
            ("prod", "prod-web", False),
            ("web", "prod-web", False),
            ("prod-?", "prod-1", True),
            ("prod-?", "prod-12", False),
            ("prod-[12]", "prod-2", True),
            ("prod-[!12]", "prod-2", False),
            ("prod-[A-C]", "prod-b", True),
            ("a.b", "axb", False),
            ("Stra?e", "Straße", True),
            ("STRASS*", "Straße", False),
            ("", "x", False),
            ("a\nb*", "A\nbc", True),
        ],
    )
    def test_match_the_whole_text_without_case(self, pattern: str, text: str, expected: bool) -> None:
        assert matches(text, (pattern,)) is expected

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [("[[]prod] web", True), ("[[]PROD[]] web", True), ("?prod? web", True), ("[prod] web", False)],
    )
    def test_brackets_in_a_name_are_written_in_brackets(self, pattern: str, expected: bool) -> None:
        """`[prod] web` stands for five characters; the subscription called so is matched by `[[]prod] web`."""
        assert matches("[Prod] web", (pattern,)) is expected

    @given(text=some.text(max_size=20), pattern=some.text(max_size=10))
    def test_any_pattern_is_a_pattern(self, text: str, pattern: str) -> None:
        assert matches(text, ("*", pattern))
        matches(text, (pattern,))

    @given(text=some.text(some.characters(codec="ascii"), max_size=20))
    def test_every_name_can_be_written_as_a_pattern(self, text: str) -> None:
        pattern = "".join(f"[{each}]" if each in "[*?" else each for each in text)

        assert matches(text.upper(), (pattern,))
        assert not matches(text + "x", (pattern,))


class TestIncludes:
    @pytest.mark.parametrize(
        ("scope", "expected"),
        [
            (Scope(), True),
            (Scope(()), False),
            (Scope((PROD.id,)), True),
            (Scope((PROD.id.upper(),)), True),
            (Scope(("prod *",)), True),
            (Scope(("test*",)), False),
            (Scope(exclude_subscriptions=("prod web",)), False),
            (Scope(exclude_subscriptions=(PROD.id.upper(),)), False),
            (Scope((PROD.id,), ("prod*",)), False),
            (Scope(exclude_subscriptions=("test*",)), True),
        ],
    )
    def test_include_then_exclude_by_id_or_name_and_exclude_wins(self, scope: Scope, expected: bool) -> None:
        assert scope.includes(PROD) is expected

    def test_groups_are_excluded_by_name(self) -> None:
        scope = Scope(exclude_resource_groups=("mc_*", "NetworkWatcherRG"))

        assert [name for name in ("rg-a", "MC_aks", "networkwatcherrg", "xmc_a") if scope.includes_group(name)] == [
            "rg-a",
            "xmc_a",
        ]


class TestSelect:
    def test_reads_what_is_in_scope_in_id_order(self) -> None:
        selection = select([TEST, LAB, PROD], Scope(exclude_subscriptions=("lab*",)), None)

        assert selection.to_read == (PROD, TEST)
        assert selection.not_read == ()

    @pytest.mark.parametrize("state", ["Disabled", "disabled", "Deleted", "Expired", ""])
    def test_a_subscription_that_does_not_work_is_skipped_with_its_state(self, state: str) -> None:
        disabled = subscription(9, "Old", state)

        assert select([disabled], Scope(), None).not_read == (
            Verdict(
                subscription_id=disabled.id,
                subscription_name="Old",
                reading=Reading.SKIPPED,
                reason=f"the subscription's state is {state}",
            ),
        )

    @pytest.mark.parametrize("state", ["Enabled", "enabled", "Warned", "PastDue"])
    def test_a_subscription_that_works_is_read(self, state: str) -> None:
        assert len(select([subscription(9, "x", state)], Scope(), None).to_read) == 1

    def test_a_disabled_subscription_outside_the_scope_is_no_finding(self) -> None:
        assert select([subscription(9, "Old", "Disabled")], Scope(("prod*",)), None).not_read == ()

    def test_a_request_narrows_by_id_without_case(self) -> None:
        assert select([PROD, TEST], Scope(), (TEST.id.upper(), TEST.id)).to_read == (TEST,)

    def test_a_request_for_nothing_reads_nothing(self) -> None:
        selection = select([PROD, TEST], Scope(), ())

        assert (selection.to_read, selection.not_read) == ((), ())

    def test_what_is_asked_for_and_not_read_has_a_verdict_with_the_reason(self) -> None:
        selection = select([PROD, TEST], Scope(("prod*",)), ("ffff", TEST.id, PROD.id))

        assert selection.to_read == (PROD,)
        assert selection.not_read == (
            Verdict(
                subscription_id=TEST.id,
                subscription_name=TEST.name,
                reading=Reading.INCOMPLETE,
                reason="outside [scope] of steward.toml",
            ),
            Verdict(
                subscription_id="ffff",
                subscription_name="",
                reading=Reading.INCOMPLETE,
                reason="not visible to Steward's identity",
            ),
        )

    def test_a_request_names_ids_and_never_patterns(self) -> None:
        assert select([PROD], Scope(), ("*", "prod*", PROD.name)).to_read == ()


SUBSCRIPTIONS = some.lists(
    some.builds(
        Subscription,
        some.from_regex(r"[0-9a-fA-F]{1,2}", fullmatch=True),
        some.text("abAB[]", max_size=3),
        some.sampled_from(["Enabled", "Warned", "Disabled"]),
    ),
    unique_by=lambda known: known.id.casefold(),
    max_size=6,
)
PATTERNS = some.lists(some.text("abAB01*?[]", max_size=4), max_size=3).map(tuple)
SCOPES = some.builds(Scope, some.just(("*",)) | PATTERNS, PATTERNS)


class TestOverRandomEstates:
    @given(visible=SUBSCRIPTIONS, scope=SCOPES, asked=some.lists(some.from_regex(r"[0-9a-fA-F]{1,2}", fullmatch=True)))
    def test_a_request_never_widens(self, visible: list[Subscription], scope: Scope, asked: list[str]) -> None:
        everything = select(visible, scope, None)
        narrowed = select(visible, scope, tuple(asked))
        wanted = {text.casefold() for text in asked}

        assert set(narrowed.to_read) <= set(everything.to_read)
        assert {known.id.casefold() for known in narrowed.to_read} <= wanted
        told = [*(known.id for known in narrowed.to_read), *(verdict.subscription_id for verdict in narrowed.not_read)]
        assert sorted(text.casefold() for text in told) == sorted(wanted)

    @given(visible=SUBSCRIPTIONS, scope=SCOPES)
    def test_what_is_excluded_is_never_read(self, visible: list[Subscription], scope: Scope) -> None:
        for known in select(visible, scope, None).to_read:
            assert not matches(known.id, scope.exclude_subscriptions)
            assert not matches(known.name, scope.exclude_subscriptions)

    @given(visible=SUBSCRIPTIONS, scope=SCOPES, data=some.data())
    def test_the_order_does_not_depend_on_azures(
        self, visible: list[Subscription], scope: Scope, data: some.DataObject
    ) -> None:
        shuffled = data.draw(some.permutations(visible))

        assert select(shuffled, scope, None) == select(visible, scope, None)
