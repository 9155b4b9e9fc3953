"""A preview of a schedule: what `steward schedule` tells."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared_code import terminal
from shared_code.errors import InvalidRequest
from shared_code.schedule_preview import Preview, moment_of, preview
from tests.test_schedules import UNSAFE, hostile

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
Seen = pytest.CaptureFixture[str]


def of(text: str, count: int = 2, **environ: str) -> Preview:
    return preview(text, environ, START, count)


class TestNextRuns:
    """When Azure would start the job."""

    def test_are_strictly_after(self) -> None:
        assert of("0 0 6 * * *").next_runs == (START + timedelta(days=1), START + timedelta(days=2))

    def test_are_given_of_fields_that_are_refused(self) -> None:
        """Five fields fire, until the app scales."""
        assert of("30 6 * * *", 1).next_runs == (START + timedelta(minutes=30),)

    @pytest.mark.parametrize("text", ["0 0 0 31 2 *", "00:05:00", "never"], ids=["never", "timespan", "rejected"])
    def test_are_none(self, text: str) -> None:
        """Of a TimeSpan nobody knows: it is counted from the last call."""
        assert of(text).next_runs == ()

    def test_end_with_the_calendar(self) -> None:
        late = datetime(9998, 6, 1, tzinfo=UTC)

        assert preview("0 0 0 1 1 *", {}, late, 1000).next_runs == (datetime(9999, 1, 1, tzinfo=UTC),)

    def test_of_a_leap_day_on_a_monday(self) -> None:
        """Rare dates are found, a thousand of them too."""
        found = preview("0 0 0 29 2 MON", {}, START, 1000).next_runs

        assert [run.year for run in found[:3]] == [2044, 2072, 2112]


def test_settings_are_filled_in_and_secrets_are_not_shown() -> None:
    """A name of the environment that holds no schedule stays unsaid."""
    assert of("0 %M% 6 * * *", M="30").azure.expanded == "0 30 6 * * *"
    for secret in ("AccountKey=c2VjcmV0", "c2VjcmV0c2VjcmV0", "4f1c0b6e-0000-4000-8000-c2VjcmV0c2Vj"):
        found = of("%KEY%", KEY=secret)
        assert not found.azure.accepted
        assert secret not in str(msgspec.to_builtins(found))


class TestShown:
    """What the terminal shows."""

    def test_of_an_accepted_one(self, capsys: Seen) -> None:
        terminal.show_schedule(of("0 0 6 * * FRI-MON", 1))

        assert capsys.readouterr().out.splitlines() == [
            "0 0 6 * * FRI-MON",
            "  Azure    accepts it, as 0 0 6 * * 1-5",
            "  Steward  accepts it",
            "  Means    At 06:00, Monday through Friday (UTC).",
            "  Next     2026-11-23T06:00:00Z",
            (
                "warning: 'FRI-MON' in the day of the week field runs backwards; Azure swaps its ends and reads Monday "
                "to Friday; write FRI,SAT,SUN,MON for Friday on to Monday, or MON-FRI for what Azure reads"
            ),
        ]

    def test_of_a_rejected_one(self, capsys: Seen) -> None:
        terminal.show_schedule(of("0 0 24 * * *"))

        assert capsys.readouterr().out.splitlines() == [
            "0 0 24 * * *",
            "  Azure    rejects it, and puts the function in error",
            (
                "  Steward  refuses it: Hour '24' is out of range: hours go from 0 to 23; write 0 for midnight. "
                "The whole: '0 0 0 * * *'."
            ),
            "    0 0 24 * * *",
            "        ^^",
        ]

    def test_of_a_refused_one(self, capsys: Seen) -> None:
        terminal.show_schedule(of("00:05:00"))

        assert capsys.readouterr().out.splitlines() == [
            "00:05:00",
            "  Azure    accepts it, as a TimeSpan",
            "  Steward  refuses it: '00:05:00' is a TimeSpan, every 5 minutes, which drifts; write '0 */5 * * * *'",
            "  Means    Every 5 minutes, counted from the start of each call.",
        ]

    def test_of_nothing(self, capsys: Seen) -> None:
        terminal.show_schedule(of(""))

        assert capsys.readouterr().out.startswith("(empty)\n")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T06:00:00Z", START),
        (" 2026-11-22T06:00 ", START),
        ("2026-11-22T07:00:00+01:00", START),
        ("2026-11-22", START.replace(hour=0)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    """ISO 8601; without a zone it is UTC."""
    assert moment_of(text) == moment
    assert moment_of(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "31.12.2026", "2026-02-30", "0001-01-01T00:00+14:00", "\x1b[31m", "9" * 5000]
)
def test_no_moments(text: str) -> None:
    """One sentence that shows how to write it."""
    with pytest.raises(
        InvalidRequest, match=r"' is no time; write it as in 2026-11-22, 2026-11-22T06:00:00Z or …\+01:00\.$"
    ) as raised:
        moment_of(text)

    assert not UNSAFE.search(str(raised.value))
    assert len(str(raised.value)) < 200


@settings(deadline=None)
@given(text=hostile(), after=st.datetimes(timezones=st.just(UTC)))
@example(text="\udcff", after=START)
@example(text="0\u2028", after=START)
def test_any_text_at_any_time(text: str, after: datetime) -> None:
    """Previewed, encoded as JSON and printed; nothing drives the terminal."""
    found = preview(text, {"A": "\x1b[31m"}, after, 3)

    assert msgspec.json.decode(msgspec.json.encode(found), type=Preview) == found
    assert list(found.next_runs) == sorted(found.next_runs)
    assert all(run > after for run in found.next_runs)
    with pytest.MonkeyPatch.context() as patch:
        import io
        import sys

        screen = io.StringIO()
        patch.setattr(sys, "stdout", screen)
        terminal.show_schedule(found)
    assert not UNSAFE.search(screen.getvalue().replace("\n", ""))
