"""`steward schedule`, and what `steward check` and `steward jobs` say of schedules, as processes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import JOB, World, small_estate, world_of

WARNED = """
[jobs.list-resource-groups]
schedule = "0 0 6 * * FRI-MON"

[jobs.watchdog]
schedule = "0 */7 * * * *"
"""
PLACE = f"steward.toml: jobs.{JOB}.schedule"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A configuration whose two schedules are accepted with a warning."""
    with world_of(tmp_path_factory.mktemp("schedule"), small_estate(1), WARNED) as world:
        yield world


class TestSchedule:
    """A schedule before it is deployed."""

    def test_help(self, world: World) -> None:
        """Every option is explained."""
        done = world.steward("schedule", "--help")

        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("Usage: steward schedule ")
        assert set(re.findall(r"--[a-z]+", done.out)) == {"--count", "--after", "--timezone", "--json", "--help"}

    def test_accepted(self, world: World) -> None:
        """0; the runs come strictly after the given time."""
        done = world.steward("schedule", "0 30 6 * * 1-5", "--count", "2", "--after", "2026-11-23T06:30:00Z")

        assert done == (
            0,
            (
                "0 30 6 * * 1-5\n"
                "  Azure    accepts it, as 0 30 6 * * 1-5\n"
                "  Steward  accepts it\n"
                "  Means    At 06:30, Monday through Friday (UTC).\n"
                "  Next     2026-11-24T06:30:00Z\n"
                "  Next     2026-11-25T06:30:00Z\n"
            ),
            "",
        )

    @pytest.mark.parametrize(
        ("text", "write"),
        [
            ("30 5 * * *", "0 30 5 * * *"),
            ("00:05:00", "0 */5 * * * *"),
            ("0 0 6 * * 7", "0 0 6 * * 0"),
            ("never", None),
        ],
        ids=["five", "timespan", "repaired", "rejected"],
    )
    def test_refused(self, world: World, text: str, write: str | None) -> None:
        """2, with the text to paste where there is one."""
        done = world.steward("schedule", text)
        found = world.steward("schedule", text, "--json")

        assert (done.code, done.err, found.code, found.err) == (2, "", 2, "")
        assert "  Steward  refuses it: " in done.out
        assert found.json()["steward"]["accepted"] is False
        assert found.json()["steward"]["write"] == write
        assert write is None or f"'{write}'" in done.out

    def test_json(self, world: World) -> None:
        """One document with both verdicts."""
        done = world.steward("schedule", "0 0 6 1 * MON", "--after", "2026-01-01", "--count", "1", "--json")

        found = done.json()
        assert (done.code, done.err) == (0, "")
        assert set(found) == {*("schedule", "azure", "steward", "words", "warnings", "next_runs", "timezone", "local")}
        assert (found["timezone"], found["local"]) == (None, None)
        assert found["azure"] == {"accepted": True, "reads_as": "cron", "expanded": "0 0 6 1 * 1", "reason": None}
        assert found["words"] == "At 06:00, on day 1 of the month, and only if it is a Monday (UTC)."
        assert len(found["warnings"]) == 1
        assert found["next_runs"] == ["2026-06-01T06:00:00Z"]

    def test_by_the_clocks_of_a_zone(self, world: World) -> None:
        """Both times, the timer in UTC and its cost, and what the next change of the clocks does."""
        arguments = ("0 30 2 * * *", "--timezone", "Europe/Berlin", "--count", "3", "--after", "2027-03-27")
        done, found = world.steward("schedule", *arguments), world.steward("schedule", *arguments, "--json").json()

        words = (
            "on 2027-03-28 the clocks of Europe/Berlin go from 02:00 to 03:00; "
            "02:30 does not exist on that day, and runs at 03:30"
        )
        assert done == (
            0,
            (
                "0 30 2 * * *\n"
                "  Azure    accepts it, as 0 30 2 * * *\n"
                "  Steward  accepts it\n"
                "  Means    At 02:30, every day (Europe/Berlin).\n"
                "  Timer    0 30 0-1 * * * in UTC; calls a day that start nothing: 1\n"
                "  Next     2027-03-27T01:30:00Z  2027-03-27T02:30:00+01:00 Europe/Berlin\n"
                "  Next     2027-03-28T01:30:00Z  2027-03-28T03:30:00+02:00 Europe/Berlin\n"
                "  Next     2027-03-29T00:30:00Z  2027-03-29T02:30:00+02:00 Europe/Berlin\n"
                f"  Clocks   {words}\n"
            ),
            "",
        )
        assert found["timezone"] == "Europe/Berlin"
        assert found["local"] == {
            "timezone": "Europe/Berlin",
            "registered": "0 30 0-1 * * *",
            "calls_beside": 1.0,
            "next_runs": ["2027-03-27T02:30:00+01:00", "2027-03-28T03:30:00+02:00", "2027-03-29T02:30:00+02:00"],
            "clock_change": {"at": "2027-03-28T01:00:00Z", "minutes": 60.0, "effect": "shifted", "words": words},
        }

    def test_an_unknown_zone(self, world: World) -> None:
        """2, with the nearest that there is; nothing is told by other clocks."""
        done = world.steward("schedule", "0 30 2 * * *", "--timezone", "europe/berlin")
        found = world.steward("schedule", "0 30 2 * * *", "--timezone", "\x1b[31m\udcff", "--json")

        assert (done.code, done.err, found.code, found.err) == (2, "", 2, "")
        assert "refuses it: 'europe/berlin' is no time zone; did you mean 'Europe/Berlin'\n" in done.out
        assert "Next" not in done.out
        assert (found.json()["next_runs"], found.json()["local"]) == ([], None)

    def test_a_zone_whose_clocks_stay(self, world: World) -> None:
        """Its timer calls for nothing but occurrences."""
        done = world.steward("schedule", "0 0 6 * * *", "--timezone", "Asia/Kolkata", "--count", "1")

        assert "  Timer    0 30 0 * * * in UTC\n" in done.out
        assert done.out.endswith("  Clocks   the clocks of Asia/Kolkata stay as they are\n")

    def test_now_without_a_time(self, world: World) -> None:
        """Five runs, unless another number is asked for."""
        assert len(world.steward("schedule", "0 0 * * * *", "--json").json()["next_runs"]) == 5

    def test_the_environment(self, world: World) -> None:
        """`%NAME%` reads it, and a value that is no schedule is not shown."""
        done = world.steward("schedule", "%WHEN%", environment={"WHEN": "0 0 6 * * *"})
        secret = world.steward("schedule", "%KEY%", environment={"KEY": "c2VjcmV0c2VjcmV0"})

        assert (done.code, secret.code) == (0, 2)
        assert done.out.startswith("%WHEN%\n  Azure    accepts it, as 0 0 6 * * *\n")
        assert "c2VjcmV0" not in secret.out + secret.err

    @pytest.mark.parametrize(
        "arguments",
        [(), ("0 0 6 * * *", "--count", "0"), ("0 0 6 * * *", "--count", "1001"), ("0 0 6 * * *", "--zone", "UTC")],
        ids=["none", "no-count", "too-many", "unknown"],
    )
    def test_wrong_arguments(self, world: World, arguments: tuple[str, ...]) -> None:
        """2, with the usage."""
        done = world.steward("schedule", *arguments)

        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("Usage: steward ")

    def test_a_bad_time(self, world: World) -> None:
        """2, with one sentence."""
        done = world.steward("schedule", "0 0 6 * * *", "--after", "tomorrow")

        sentence = "'tomorrow' is no time; write it as in 2026-11-22, 2026-11-22T06:00:00Z or …+01:00."
        assert done == (2, "", f"steward: {sentence}\n")

    def test_hostile_bytes(self, world: World) -> None:
        """Nothing drives the terminal; bytes that are no UTF-8 are shown as such."""
        text = "\x1b[31m0 0 6\udcff \u202e* * *\x07"
        done = world.steward("schedule", text)
        found = world.steward("schedule", text, "--json")

        assert (done.code, done.err, found.code) == (2, "", 2)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.out)
        assert found.json()["azure"]["accepted"] is False

    def test_a_long_text(self, world: World) -> None:
        """Ten thousand characters, and more."""
        for number in (3333, 5000):
            done = world.steward("schedule", ",".join(["0"] * number) + " 0 6 * * *")
            assert done.code == (0 if number == 3333 else 2)
            assert "Traceback" not in done.out + done.err

    def test_a_bad_configuration_is_no_hindrance(self, world: World, tmp_path: Path) -> None:
        """It is the command with which one mends it."""
        done = world.steward("schedule", "0 0 6 * * *", environment={"STEWARD_CONFIG": str(tmp_path / "none.toml")})

        assert (done.code, done.err) == (0, "")


class TestCheck:
    """Warnings of a whole configuration."""

    def test_warnings_alone(self, world: World) -> None:
        """They are printed, and the exit code is 0."""
        done = world.steward("check")
        found = world.steward("check", "--json")

        lines = done.out.splitlines()
        assert (done.code, found.code) == (0, 0)
        assert lines[0].startswith(f"warning: {PLACE}: 'FRI-MON' ")
        assert lines[1].startswith("warning: steward.toml: jobs.watchdog.schedule: '*/7' ")
        assert re.search(r": valid, \d+ jobs, \d+ schedules", lines[-1])
        assert found.json()["valid"] is True
        assert [f"warning: {each['place']}: {each['text']}" for each in found.json()["warnings"]] == lines[:2]

    def test_problems_come_first(self, tmp_path: Path) -> None:
        """A refused schedule has no warnings of its own; the others keep theirs."""
        with world_of(tmp_path, small_estate(1), WARNED.replace("0 0 6 * * FRI-MON", "0 6 * * *")) as world:
            done = world.steward("check")

        lines = done.out.splitlines()
        assert done.code == 2
        assert lines[0].startswith(f"{PLACE}: '0 6 * * *' has five fields")
        assert lines[1].startswith("warning: steward.toml: jobs.watchdog.schedule: ")
        assert re.fullmatch(r"1 problems? found\.", lines[-1])


def test_jobs(world: World) -> None:
    """Words and warnings of each job, verdicts in JSON."""
    done = world.steward("jobs")
    found = world.steward("jobs", "--json").json()["jobs"]

    assert done.code == 0
    assert f"warning: {PLACE}: 'FRI-MON' " in done.out
    shown = " ".join(done.out.split())
    assert "At 06:00, Monday through Friday (UTC)." in shown
    job = next(each for each in found if each["name"] == JOB)
    assert job["words"] == "At 06:00, Monday through Friday (UTC)."
    assert (job["azure"]["accepted"], job["steward"]["accepted"], len(job["warnings"])) == (True, True, 1)
