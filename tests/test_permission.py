"""Permission: what steward.toml lets a job change, how much, when, and whether the timer may."""

from datetime import UTC, datetime

import pytest

from shared_code.errors import Refused, Stopped
from shared_code.permission import Terms, allow_automatic, check_window, terms_of
from shared_code.settings import JOBS, WRITING, Configuration, configure

ARMED = "10600000-0000-4000-8000-00000000000a"
HOSTILE = "x\n\x1b[31mERROR" + "y" * 200


def configured(job: str, **said: str) -> Configuration:
    """What holds where the table of the job says this."""
    lines = [f"[jobs.{job}]", *(f"{key} = {value}" for key, value in said.items())]
    configuration = configure("\n".join(lines).encode(), "steward.toml", {})
    assert configuration.problems == ()
    return configuration


def armed(job: str, **said: str) -> Configuration:
    """The same, where it may change something in one subscription."""
    more = {"protected_resource_groups": "['rg-core-*']"} if job == "cleanup" else {}
    return configured(job, armed_subscriptions=f"['{ARMED}']", **more, **said)


READING = sorted(set(JOBS) - WRITING)


class TestTerms:
    def test_of_the_tag_audit(self) -> None:
        configuration = armed("tag-audit", max_changes="7", max_share="0.3")

        assert terms_of(configuration, "tag-audit") == Terms((ARMED,), 7, 0.3, configuration.digest_of("tag-audit"))

    def test_of_cleanup(self) -> None:
        configuration = armed("cleanup", max_deletions="3", max_share="0.05")

        assert terms_of(configuration, "cleanup") == Terms((ARMED,), 3, 0.05, configuration.digest_of("cleanup"))

    @pytest.mark.parametrize(("job", "most", "share"), [("tag-audit", 500, 0.2), ("cleanup", 20, 0.1)])
    def test_without_a_word_nothing_is_armed(self, job: str, most: int, share: float) -> None:
        configuration = configured(job)

        assert terms_of(configuration, job) == Terms((), most, share, configuration.digest_of(job))

    def test_one_job_is_not_armed_by_another(self) -> None:
        """Whoever lets tags be changed lets nothing be deleted."""
        configuration = armed("tag-audit", mode="'apply'")

        assert terms_of(configuration, "cleanup").armed == ()
        with pytest.raises(Refused, match="mode is 'plan'"):
            allow_automatic(configuration, "cleanup")

    def test_rules_that_decide_otherwise_are_other_terms(self) -> None:
        one, two = (configured("cleanup", protected_names=names) for names in ("['a']", "['b']"))

        assert terms_of(one, "cleanup").rules != terms_of(two, "cleanup").rules

    @pytest.mark.parametrize("job", [*READING, "apply-plan", "no-such-job"])
    def test_of_a_job_that_changes_nothing_there_are_none(self, job: str) -> None:
        expected = f"^Job '{job}' changes nothing in Azure, so there is nothing to apply\\.$"
        with pytest.raises(Refused, match=expected):
            terms_of(configured("cleanup"), job)

    def test_a_hostile_name_stays_on_its_line(self) -> None:
        for refuse in (terms_of, allow_automatic):
            with pytest.raises(Refused) as refused:
                refuse(configured("cleanup"), HOSTILE)
            assert str(refused.value).isprintable()
            assert len(str(refused.value)) < 200


class TestWindow:
    NIGHT = configured("cleanup", delete_window="'22:00-06:00'")

    @pytest.mark.parametrize("clock", [(22, 0), (23, 59), (0, 0), (5, 59)])
    def test_it_is_open_at_night(self, clock: tuple[int, int]) -> None:
        check_window(self.NIGHT, "cleanup", datetime(2026, 11, 22, *clock, tzinfo=UTC))

    @pytest.mark.parametrize("clock", [(6, 0), (12, 30), (21, 59)])
    def test_by_day_nothing_is_deleted_and_the_plan_is_not_lost(self, clock: tuple[int, int]) -> None:
        now = datetime(2026, 11, 22, *clock, tzinfo=UTC)

        with pytest.raises(Stopped) as stopped:
            check_window(self.NIGHT, "cleanup", now)

        assert str(stopped.value) == (
            f"It is {now:%Y-%m-%dT%H:%M}:00Z, and jobs.cleanup.delete_window is 22:00-06:00 (UTC), so nothing is "
            "deleted now; what is left of the plan can be applied then."
        )

    @pytest.mark.parametrize("job", [*JOBS, "no-such-job"])
    def test_without_one_it_is_always_open(self, job: str) -> None:
        for hour in range(24):
            check_window(configured("cleanup"), job, datetime(2026, 11, 22, hour, tzinfo=UTC))

    def test_it_is_no_matter_of_other_jobs(self) -> None:
        check_window(self.NIGHT, "tag-audit", datetime(2026, 11, 22, 12, tzinfo=UTC))


class TestAutomatic:
    @pytest.mark.parametrize("job", sorted(WRITING))
    def test_the_timer_may_where_everything_says_so(self, job: str) -> None:
        allow_automatic(armed(job, mode="'apply'"), job)

    @pytest.mark.parametrize("job", sorted(WRITING))
    def test_not_where_the_mode_is_plan(self, job: str) -> None:
        for configuration in (armed(job), armed(job, mode="'plan'")):
            with pytest.raises(Refused) as refused:
                allow_automatic(configuration, job)
            assert str(refused.value) == (
                f"jobs.{job}.mode is 'plan' in steward.toml, so nothing is applied without a person; approve a plan "
                "with 'steward apply', or write mode = \"apply\"."
            )

    @pytest.mark.parametrize("job", sorted(WRITING))
    def test_not_where_no_subscription_is_armed(self, job: str) -> None:
        with pytest.raises(Refused) as refused:
            allow_automatic(configured(job, mode="'apply'"), job)

        assert str(refused.value) == (
            f"Job '{job}' has no armed subscription, so nothing could be applied; add exact ids to "
            f"jobs.{job}.armed_subscriptions in steward.toml."
        )

    @pytest.mark.parametrize("job", [*READING, "no-such-job"])
    def test_not_for_a_job_that_changes_nothing(self, job: str) -> None:
        with pytest.raises(Refused, match=f"^Job '{job}' changes nothing in Azure, .*; use mode 'plan'\\.$"):
            allow_automatic(configured("cleanup"), job)
