"""Evidence from the activity log: who is who, what counts, and what nothing may be concluded from."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.activity import (
    Asked,
    CallerKind,
    Evidence,
    Gathering,
    Span,
    Suggestion,
    Write,
    Writers,
    kind_of,
    no_evidence,
    span_of,
    write_of,
)
from shared_code.resource_ids import key

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
SPAN = Span(NOW - timedelta(days=90), NOW)
ONE = "5e000000-0000-4000-8000-00000000000a"
TWO = "5e000000-0000-4000-8000-00000000000b"
SITE = f"/subscriptions/{ONE}/resourceGroups/rg-shop/providers/Microsoft.Web/sites/shop"
PROGRAM = "0e000000-0000-4000-8000-00000000000A"


def days_ago(days: float, caller: str = "developer@example.com") -> Write:
    return write_of(NOW - timedelta(days=days), caller)


def evidence(*writes: Write, of: str = SITE) -> Evidence:
    gathering = Gathering([ONE], SPAN)
    gathering.record(ONE, NOW - timedelta(days=90))
    for write in writes:
        gathering.add(of, write, write)
    return gathering.evidence(Asked())


class TestCallers:
    @pytest.mark.parametrize(
        ("caller", "kind"),
        [
            ("developer@example.com", CallerKind.PERSON),
            ("some.o'body_1@shop.example.com", CallerKind.PERSON),
            ("ada_example.com#EXT#@shop.example.com", CallerKind.PERSON),
            (PROGRAM, CallerKind.APPLICATION),
            (PROGRAM.lower(), CallerKind.APPLICATION),
            ("Microsoft.Insights/autoscaleSettings", CallerKind.PLATFORM),
            ("", CallerKind.PLATFORM),
            ("ada", CallerKind.PLATFORM),
            ("@example.com", CallerKind.PLATFORM),
            ("ada@example", CallerKind.PLATFORM),
            ("developer@example.com\n", CallerKind.PLATFORM),
            ("developer@example.com, tester@example.com", CallerKind.PLATFORM),
            ("<b>ada</b>@example.com", CallerKind.PLATFORM),
            ("=HYPERLINK(1)@example.com", CallerKind.PLATFORM),
            ("developer@example.com" + "m" * 400, CallerKind.PLATFORM),
            (f"{PROGRAM}\n", CallerKind.PLATFORM),
        ],
        ids=lambda value: repr(value)[:40],
    )
    def test_only_what_is_surely_a_sign_in_name_is_a_person(self, caller: str, kind: CallerKind) -> None:
        assert kind_of(caller) is kind

    def test_a_hostile_caller_is_one_short_line_of_text(self) -> None:
        write = write_of(NOW, "\x1b[31m\u202e<script>alert(1)</script>\r\n" + "x" * 10_000)

        assert write.kind is CallerKind.PLATFORM
        assert len(write.caller) == 320
        assert write.caller.startswith("[31m <script>alert(1)</script> x")

    def test_the_kind_is_judged_before_the_text_is_cleaned(self) -> None:
        """Cleaning must not make a person of what was none."""
        assert write_of(NOW, " developer@example.com ") == Write(NOW, "developer@example.com", CallerKind.PLATFORM)

    @given(caller=some.text())
    def test_any_text_is_a_caller(self, caller: str) -> None:
        write = write_of(NOW, caller)

        assert len(write.caller) <= 320
        assert "\n" not in write.caller
        if write.kind is CallerKind.PERSON:
            assert write.caller == caller


class TestSpan:
    def test_as_asked(self) -> None:
        assert span_of(NOW - timedelta(days=90), NOW) == SPAN

    def test_more_than_the_log_keeps_is_cut_and_said(self) -> None:
        assert span_of(NOW - timedelta(days=91), NOW) == Span(SPAN.since, NOW, cut=True)

    @pytest.mark.parametrize(
        ("since", "until"),
        [(NOW, NOW), (NOW, NOW - timedelta(1)), (NOW.replace(tzinfo=None), NOW), (NOW - timedelta(1), datetime.max)],  # noqa: DTZ901
        ids=["empty", "backwards", "naive", "naive-end"],
    )
    def test_no_span_is_a_programming_error(self, since: datetime, until: datetime) -> None:
        with pytest.raises(ValueError, match="from an aware moment to a later one"):
            span_of(since, until)


class TestConclusions:
    def test_written(self) -> None:
        """Where nothing is known the answer is neither yes nor no."""
        found = evidence(days_ago(3))

        assert found.written(SITE.upper()) is True
        assert found.written(SITE + "-other") is False
        assert found.written(SITE.replace(ONE, TWO)) is None
        assert found.written("no id at all") is None

    def test_no_evidence_concludes_nothing(self) -> None:
        found = no_evidence(SPAN, "no workspace is configured")

        assert (found.available, found.complete, found.reason) == (False, False, "no workspace is configured")
        assert found.written(SITE) is None
        assert found.creator(SITE) is None
        assert found.suggested_owner(SITE) is None

    def test_a_subscription_without_any_event_is_no_evidence(self) -> None:
        """Its diagnostic setting is missing; that nobody did anything in 90 days is not what it says."""
        found = Gathering([ONE, TWO.upper()], SPAN).evidence(Asked())

        assert not found.available
        assert found.reason == (
            f"the workspace holds no events of subscriptions '{ONE}', '{TWO}'; send the activity log there with a "
            "diagnostic setting of the subscription"
        )
        assert found.written(SITE) is None

    def test_many_silent_subscriptions_make_no_long_sentence(self) -> None:
        ids = [f"5e000000-0000-4000-8000-{number:012}" for number in range(1_000)]
        reason = Gathering(ids, SPAN).evidence(Asked()).reason

        assert reason is not None
        assert "'5e000000-0000-4000-8000-000000000002' and 997 more; send" in reason

    def test_half_a_log_is_no_evidence(self) -> None:
        """Of a subscription that was not read to its end, even what was seen does not count."""
        gathering = Gathering([ONE, TWO], SPAN)
        for subscription in (ONE, TWO):
            gathering.record(subscription, SPAN.since)
            gathering.add(SITE.replace(ONE, subscription), days_ago(3), days_ago(1))
        gathering.miss([ONE], "Azure answered 429")
        found = gathering.evidence(Asked())

        assert (found.available, found.complete, found.reason) == (True, False, "Azure answered 429")
        assert found.written(SITE) is None
        assert found.of(SITE) is None
        assert found.written(SITE.replace(ONE, TWO)) is True

    def test_nothing_asked_is_nothing_missing(self) -> None:
        found = Gathering([], SPAN).evidence(Asked())

        assert (found.available, found.complete, found.reason) == (True, True, None)

    def test_what_was_not_asked_for_does_not_count(self) -> None:
        gathering = Gathering([ONE], SPAN)
        gathering.record(ONE, NOW)
        gathering.record(ONE, SPAN.since)
        gathering.record(TWO, SPAN.since)
        gathering.add(SITE.replace(ONE, TWO), days_ago(1), days_ago(1))
        gathering.add("/providers/Microsoft.Management/managementGroups/root", days_ago(1), days_ago(1))
        found = gathering.evidence(Asked(queries=2))

        assert found == Evidence(
            span=SPAN, available=True, complete=True, recorded={ONE: SPAN.since}, asked=Asked(queries=2)
        )


class TestOwners:
    """A person who created it, else a person who wrote to it last; never anything else."""

    def test_the_creator(self) -> None:
        found = evidence(days_ago(5), days_ago(1, "tester@example.com"))
        born = NOW - timedelta(days=5, minutes=20)

        assert found.creator(SITE, born) == days_ago(5)
        assert found.suggested_owner(SITE, born) == Suggestion(
            "developer@example.com", "created it, 2026-11-17T06:00:00Z"
        )

    def test_without_a_time_of_creation_the_first_writer_is_called_just_that(self) -> None:
        assert evidence(days_ago(5)).suggested_owner(SITE) == Suggestion(
            "developer@example.com", "was the first to write to it that the activity log knows, 2026-11-17T06:00:00Z"
        )

    @pytest.mark.parametrize("age", [400, 5.2, 4.8], ids=["before-the-span", "a-change", "of-another-thing"])
    def test_a_first_write_at_another_time_is_not_the_creation(self, age: float) -> None:
        """It is a change, or it made an earlier thing of that name that was deleted since."""
        found = evidence(days_ago(5), days_ago(1, "tester@example.com"))
        born = NOW - timedelta(days=age)

        assert found.creator(SITE, born) is None
        assert found.suggested_owner(SITE, born) == Suggestion(
            "tester@example.com", "was the last to write to it, 2026-11-21T06:00:00Z"
        )

    @pytest.mark.parametrize("caller", [PROGRAM, "Microsoft.Advisor", "", "<b>@example.com"])
    def test_nobody_else_is_suggested(self, caller: str) -> None:
        assert evidence(days_ago(5, caller), days_ago(1, caller)).suggested_owner(SITE) is None
        assert evidence(days_ago(5, caller), days_ago(1)).suggested_owner(SITE) == Suggestion(
            "developer@example.com", "was the last to write to it, 2026-11-21T06:00:00Z"
        )


MOMENTS = some.datetimes(datetime(2026, 9, 1), datetime(2026, 9, 2), timezones=some.just(UTC))  # noqa: DTZ001
WRITES = some.builds(write_of, MOMENTS, some.sampled_from(["developer@example.com", "tester@example.com", PROGRAM, ""]))
IDS = some.sampled_from([SITE, SITE.upper(), SITE + "/slots/blue", SITE + "%2Dx", SITE + "-x", SITE.replace(ONE, TWO)])


def gathered(parts: Iterable[tuple[str, Writers]]) -> Evidence:
    gathering = Gathering([ONE, TWO], SPAN)
    gathering.record(ONE, SPAN.since)
    gathering.record(TWO, SPAN.since)
    for resource_id, found in parts:
        gathering.add(resource_id, found.first, found.last)
    return gathering.evidence(Asked())


@given(events=some.lists(some.tuples(IDS, WRITES), max_size=30), data=some.data())
def test_however_a_reading_is_split_it_says_the_same(events: list[tuple[str, Write]], data: some.DataObject) -> None:
    """In whatever order and parts the answers come, and whatever the spelling."""
    expected: dict[str, Writers] = {}
    for resource_id in {key(resource_id) for resource_id, _ in events}:
        own = [write for each, write in events if key(each) == resource_id]
        expected[resource_id] = Writers(min(own), max(own))

    shuffled = data.draw(some.permutations(events))
    assert gathered((each, Writers(write, write)) for each, write in shuffled).writers == expected


def test_moments_are_compared_and_not_their_spelling() -> None:
    east = timezone(timedelta(hours=8))
    first, last = days_ago(2), write_of((NOW - timedelta(days=1)).astimezone(east), "tester@example.com")

    assert evidence(last, first).of(SITE) == Writers(first, last)
