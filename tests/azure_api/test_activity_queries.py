"""The KQL: what stands in it, and how a question is split."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from shared_code.azure_api.activity_queries import SHORTEST, Part, recorded, writers

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
ID = "5e000000-0000-4000-8000-00000000000a"


class TestTexts:
    def test_of_what_is_asked_for_only_ids_and_times_are_in_the_text(self) -> None:
        """Nothing can be injected, whatever the caller let through."""
        hostile = ('") or true or SubscriptionId in~ ("', f"{ID}\n", "", ID.upper())
        texts = [question(Part(hostile, UNTIL - timedelta(1), UNTIL)) for question in (recorded, writers)]

        for text in texts:
            assert f'SubscriptionId in~ ("{ID.upper()}") and' in text
            assert "or true" not in text

    def test_times_are_utc_to_the_microsecond(self) -> None:
        text = writers(Part((ID,), UNTIL - timedelta(microseconds=1), UNTIL))

        assert "TimeGenerated >= datetime(2026-11-21T23:59:59.999999Z)" in text
        assert "TimeGenerated < datetime(2026-11-22T00:00:00.000000Z)" in text


class TestHalves:
    @given(
        count=some.integers(1, 5),
        days=some.integers(1, 20),
    )
    def test_parts_make_the_whole(self, count: int, days: int) -> None:
        """No subscription and no moment is lost or asked about twice, and splitting ends."""
        whole = Part(tuple(map(str, range(count))), UNTIL - timedelta(days=days), UNTIL)
        waiting, smallest = [whole], []
        while waiting:
            part = waiting.pop()
            halves = part.halves()
            if halves is None:
                smallest.append(part)
            else:
                waiting += halves

        assert all(len(part.subscriptions) == 1 for part in smallest)
        assert all(SHORTEST <= part.until - part.since < 2 * SHORTEST for part in smallest)
        for name in whole.subscriptions:
            own = sorted((part.since, part.until) for part in smallest if part.subscriptions == (name,))
            assert [since for since, _ in own] == [whole.since, *(until for _, until in own[:-1])]
            assert own[-1][1] == whole.until

    def test_subscriptions_come_before_time(self) -> None:
        part = Part(("a", "b", "c"), UNTIL - timedelta(days=1), UNTIL)

        assert part.halves() == (part._replace(subscriptions=("a",)), part._replace(subscriptions=("b", "c")))
