"""Scope: include, then exclude, and exclude wins; a request can only narrow it."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.errors import EmptyScope
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
            (Scope(subscriptions=()), False),
            (Scope(subscriptions=(PROD.id,)), True),
            (Scope(subscriptions=(PROD.id.upper(),)), True),
            (Scope(subscriptions=("prod *",)), True),
            (Scope(subscriptions=("test*",)), False),
            (Scope(exclude_subscriptions=("prod web",)), False),
            (Scope(exclude_subscriptions=(PROD.id.upper(),)), False),
            (Scope(subscriptions=(PROD.id,), exclude_subscriptions=("prod*",)), False),
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
        assert select([PROD, subscription(9, "Old", "Disabled")], Scope(subscriptions=("prod*",)), None).not_read == ()

    def test_a_request_narrows_by_id_without_case(self) -> None:
        assert select([PROD, TEST], Scope(), (TEST.id.upper(), TEST.id)).to_read == (TEST,)

    def test_a_request_for_nothing_reads_nothing(self) -> None:
        selection = select([PROD, TEST], Scope(), ())

        assert (selection.to_read, selection.not_read) == ((), ())

    def test_what_is_asked_for_and_not_read_has_a_verdict_with_the_reason(self) -> None:
        selection = select([PROD, TEST], Scope(subscriptions=("prod*",)), ("ffff", TEST.id, PROD.id))

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
                reading=Reading.NOT_VISIBLE,
                reason="not visible to Steward's identity",
            ),
        )

    def test_a_request_names_ids_and_never_patterns(self) -> None:
        assert select([PROD], Scope(), ("*", "prod*", PROD.name)).to_read == ()


class TestPatternsOfGroupsAndTypes:
    def test_include_then_exclude_and_exclude_wins(self) -> None:
        scope = Scope(resource_groups=("rg-*",), exclude_resource_groups=("*-core",))

        names = ("RG-web", "rg-core", "web", "RG-x-CORE")
        assert [name for name in names if scope.includes_group(name)] == ["RG-web"]

    def test_types_are_matched_as_a_whole_and_without_case(self) -> None:
        scope = Scope(resource_types=("Microsoft.Network/*",), exclude_resource_types=("*/subnets",))

        types = (
            "microsoft.network/virtualnetworks",
            "Microsoft.Network/virtualNetworks/SUBNETS",
            "Microsoft.Web/sites",
        )
        assert [name for name in types if scope.includes_type(name)] == ["microsoft.network/virtualnetworks"]

    @pytest.mark.parametrize(
        ("scope", "expected"),
        [
            (Scope(), "subscriptions '*'"),
            (Scope(subscriptions=()), "subscriptions (none)"),
            (
                Scope(subscriptions=("a*", "b"), management_groups=("mg",), exclude_subscriptions=("c",)),
                "subscriptions 'a*', 'b' under management groups 'mg' except 'c'",
            ),
            (Scope(subscriptions=("\x1b[31m\n",)), "subscriptions ' [31m '"),
        ],
    )
    def test_a_choice_in_words(self, scope: Scope, expected: str) -> None:
        assert scope.words == expected

    def test_a_choice_of_groups_in_words(self) -> None:
        scope = Scope(resource_groups=("rg-*",), exclude_resource_groups=("x",))

        assert scope.group_words == "[scope] of steward.toml takes resource groups 'rg-*' except 'x'"


class TestManagementGroups:
    def test_intersect_with_the_patterns(self) -> None:
        """A subscription has to be included by both, and excluded by none."""
        under = frozenset({PROD.id.casefold(), LAB.id.casefold()})

        assert select([PROD, TEST, LAB], Scope(), None, under=under).to_read == (PROD, LAB)
        assert select([PROD, TEST, LAB], Scope(subscriptions=("*web",)), None, under=under).to_read == (PROD,)
        assert select([PROD, LAB], Scope(exclude_subscriptions=("lab*",)), None, under=under).to_read == (PROD,)

    def test_ids_are_compared_without_case(self) -> None:
        one = Subscription("ABC-1", "x", "Enabled")

        assert select([one], Scope(), None, under=frozenset({"abc-1"})).to_read == (one,)

    def test_what_lies_elsewhere_is_not_read_on_request(self) -> None:
        selection = select([PROD, TEST], Scope(), (TEST.id,), under=frozenset({PROD.id.casefold()}))

        assert selection.to_read == ()
        assert [each.reason for each in selection.not_read] == ["outside [scope] of steward.toml"]

    def test_one_that_is_listed_there_and_not_visible_is_nobodys(self) -> None:
        """The group may hold subscriptions that were never given to Steward."""
        selection = select([PROD], Scope(), None, under=frozenset({PROD.id, "ffff"}))

        assert (selection.to_read, selection.not_read) == ((PROD,), ())


class TestEmptyScope:
    @pytest.mark.parametrize(
        ("visible", "scope", "under", "expected"),
        [
            (
                [],
                Scope(),
                None,
                (
                    "No subscription is in scope: [scope] of steward.toml takes subscriptions '*', and Steward's "
                    "identity sees none at all."
                ),
            ),
            (
                [PROD, TEST],
                Scope(subscriptions=("produktion*",)),
                None,
                (
                    "No subscription is in scope: [scope] of steward.toml takes subscriptions 'produktion*', and "
                    "Steward's identity sees 2: 'Prod Web', 'test-web'."
                ),
            ),
            (
                [PROD],
                Scope(management_groups=("mg-empty",)),
                frozenset[str](),
                (
                    "No subscription is in scope: [scope] of steward.toml takes subscriptions '*' under management "
                    "groups 'mg-empty', and Steward's identity sees 1: 'Prod Web'."
                ),
            ),
            (
                [subscription(number, f"s{number}") for number in range(9)],
                Scope(exclude_subscriptions=("*",)),
                None,
                (
                    "No subscription is in scope: [scope] of steward.toml takes subscriptions '*' except '*', and "
                    "Steward's identity sees 9: 's0', 's1', 's2', 's3', 's4' and more."
                ),
            ),
        ],
    )
    def test_is_an_error_in_words(
        self, visible: list[Subscription], scope: Scope, under: frozenset[str] | None, expected: str
    ) -> None:
        with pytest.raises(EmptyScope) as empty:
            select(visible, scope, None, under=under)

        assert str(empty.value) == expected

    def test_names_of_strangers_stay_one_line(self) -> None:
        with pytest.raises(EmptyScope) as empty:
            select([subscription(1, "\x1b[31m\n" + "x" * 1000)], Scope(subscriptions=("y",)), None)

        assert "\x1b" not in str(empty.value)
        assert len(str(empty.value).splitlines()) == 1
        assert len(str(empty.value)) < 300

    def test_a_gone_subscription_is_not_nothing(self) -> None:
        """It is named, where an empty scope would hide it."""
        assert [each.reading for each in select([], Scope(), None, known=[PROD]).not_read] == [Reading.NOT_VISIBLE]


class TestKnown:
    """A subscription that an earlier run saw does not vanish in silence."""

    def test_no_longer_listed_is_named_and_remembered(self) -> None:
        selection = select([TEST], Scope(), None, known=[PROD, TEST])

        assert selection.to_read == (TEST,)
        (told,) = selection.not_read
        assert (told.subscription_id, told.subscription_name, told.reading) == (
            PROD.id,
            "Prod Web",
            Reading.NOT_VISIBLE,
        )
        assert told.reason is not None
        assert told.reason.startswith("no longer listed; ")
        assert "exclude_subscriptions" in told.reason
        assert selection.known == (PROD, TEST)

    def test_is_told_by_every_run_until_it_is_excluded(self) -> None:
        known = select([PROD, TEST], Scope(), None).known
        for _ in range(3):
            selection = select([TEST], Scope(), None, known=known or ())
            assert [each.subscription_id for each in selection.not_read] == [PROD.id]
            known = selection.known

        excluded = select([TEST], Scope(exclude_subscriptions=(PROD.id,)), None, known=known or ())
        assert (excluded.not_read, excluded.known) == ((), (TEST,))

    def test_one_that_was_disabled_before_is_told_once(self) -> None:
        """Azure removes a cancelled subscription by itself."""
        closed = subscription(9, "Closed", "Disabled")
        first = select([TEST, closed], Scope(), None)
        second = select([TEST], Scope(), None, known=first.known or ())
        third = select([TEST], Scope(), None, known=second.known or ())

        assert [(each.reading, each.reason) for each in second.not_read] == [
            (Reading.SKIPPED, "no longer listed; its state was Disabled before")
        ]
        assert (third.not_read, third.known) == ((), (TEST,))

    def test_one_that_comes_back_is_read(self) -> None:
        gone = select([TEST], Scope(), None, known=[PROD])

        back = select([PROD, TEST], Scope(), None, known=gone.known or ())

        assert (back.to_read, back.not_read) == ((PROD, TEST), ())

    def test_one_that_is_spelled_in_another_case_is_not_gone(self) -> None:
        one = Subscription("ABC-1", "x", "Enabled")

        assert select([one], Scope(), None, known=[Subscription("abc-1", "x", "Enabled")]).not_read == ()

    def test_the_state_that_counts_is_the_last_one_listed(self) -> None:
        """Disabled yesterday and enabled today: when it is gone tomorrow, somebody should look."""
        second = select([PROD], Scope(), None, known=[subscription(1, "Prod Web", "Disabled")])

        assert [each.reading for each in select([TEST], Scope(), None, known=second.known or ()).not_read] == [
            Reading.NOT_VISIBLE
        ]

    def test_a_narrowed_run_neither_tells_nor_remembers(self) -> None:
        selection = select([TEST], Scope(), (TEST.id,), known=[PROD, TEST])

        assert (selection.not_read, selection.known) == ((), None)


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
SCOPES = some.builds(Scope, subscriptions=some.just(("*",)) | PATTERNS, exclude_subscriptions=PATTERNS)


def all_of(visible: list[Subscription], scope: Scope) -> tuple[Subscription, ...]:
    """What a run without a narrower request reads; nothing where nothing is in scope."""
    try:
        return select(visible, scope, None).to_read
    except EmptyScope:
        return ()


class TestOverRandomEstates:
    @given(visible=SUBSCRIPTIONS, scope=SCOPES, asked=some.lists(some.from_regex(r"[0-9a-fA-F]{1,2}", fullmatch=True)))
    def test_a_request_never_widens(self, visible: list[Subscription], scope: Scope, asked: list[str]) -> None:
        everything = all_of(visible, scope)
        narrowed = select(visible, scope, tuple(asked))
        wanted = {text.casefold() for text in asked}

        assert all(each in everything for each in narrowed.to_read)
        assert {known.id.casefold() for known in narrowed.to_read} <= wanted
        told = [*(known.id for known in narrowed.to_read), *(verdict.subscription_id for verdict in narrowed.not_read)]
        assert sorted(text.casefold() for text in told) == sorted(wanted)

    @given(visible=SUBSCRIPTIONS, scope=SCOPES)
    def test_what_is_excluded_is_never_read(self, visible: list[Subscription], scope: Scope) -> None:
        for known in all_of(visible, scope):
            assert not matches(known.id, scope.exclude_subscriptions)
            assert not matches(known.name, scope.exclude_subscriptions)

    @given(visible=SUBSCRIPTIONS, scope=SCOPES, data=some.data())
    def test_the_order_does_not_depend_on_azures(
        self, visible: list[Subscription], scope: Scope, data: some.DataObject
    ) -> None:
        shuffled = data.draw(some.permutations(visible))

        assert all_of(shuffled, scope) == all_of(visible, scope)

    @given(visible=SUBSCRIPTIONS, scope=SCOPES, data=some.data())
    def test_nothing_outside_is_ever_read(
        self, visible: list[Subscription], scope: Scope, data: some.DataObject
    ) -> None:
        """Patterns, exclusions and management groups all have to agree, whatever is asked for."""
        keys = [each.id.casefold() for each in visible]
        under = data.draw(some.none() | some.frozensets(some.sampled_from(keys or ["none"])))
        asked = data.draw(some.none() | some.lists(some.sampled_from(keys or ["none"])).map(tuple))
        try:
            selection = select(visible, scope, asked, under=under)
        except EmptyScope:
            return

        for each in selection.to_read:
            assert any(matches(name, scope.subscriptions) for name in (each.id, each.name))
            assert not any(matches(name, scope.exclude_subscriptions) for name in (each.id, each.name))
            assert under is None or each.id.casefold() in under
            assert asked is None or each.id.casefold() in asked
            assert each.state != "Disabled"

    @given(before=SUBSCRIPTIONS, visible=SUBSCRIPTIONS, scope=SCOPES)
    def test_every_known_subscription_in_scope_is_read_or_told_once(
        self, before: list[Subscription], visible: list[Subscription], scope: Scope
    ) -> None:
        try:
            selection = select(visible, scope, None, known=before)
        except EmptyScope:
            assert not any(scope.includes(each) for each in visible)
            assert not any(scope.includes(each) for each in before if each.id.casefold() not in ids(visible))
            return

        told = [each.id.casefold() for each in selection.to_read]
        told += [each.subscription_id.casefold() for each in selection.not_read]
        expected = {each.id.casefold() for each in visible if scope.includes(each)}
        expected |= {
            each.id.casefold() for each in before if scope.includes(each) and each.id.casefold() not in ids(visible)
        }
        expected |= ids(before) & ids(visible)  # also one that has left the scope meanwhile: it does so in no silence
        assert sorted(told) == sorted(expected)
        remembered = ids(selection.known or ())
        assert remembered >= ids(selection.to_read)
        for verdict in selection.not_read:
            if verdict.reading is Reading.NOT_VISIBLE:
                assert verdict.subscription_id.casefold() in remembered

    @given(
        text=some.text("abAB[]*?", max_size=5),
        including=some.lists(some.text("abAB*?[]", max_size=4), max_size=3).map(tuple),
        excluding=some.lists(some.text("abAB*?[]", max_size=4), max_size=3).map(tuple),
    )
    def test_excludes_win_for_groups_and_types(
        self, text: str, including: tuple[str, ...], excluding: tuple[str, ...]
    ) -> None:
        scope = Scope(
            resource_groups=including,
            exclude_resource_groups=excluding,
            resource_types=including,
            exclude_resource_types=excluding,
        )

        expected = matches(text, including) and not matches(text, excluding)
        assert scope.includes_group(text) is scope.includes_type(text) is expected


def ids(subscriptions: Iterable[Subscription]) -> set[str]:
    return {each.id.casefold() for each in subscriptions}


class TestLeavingTheScope:
    def test_one_that_is_still_listed_is_told_once(self) -> None:
        """By another name, or another management group; afterwards it is no longer known."""
        renamed = msgspec.structs.replace(PROD, name="other")

        selection = select([renamed, TEST], Scope(subscriptions=("prod*", "test*")), None, known=[PROD, TEST])

        assert [(each.subscription_id, each.reading, each.reason) for each in selection.not_read] == [
            (PROD.id, Reading.SKIPPED, "no longer in [scope] of steward.toml")
        ]
        assert selection.known == (TEST,)
