"""The dashboard's pages: what strangers wrote is text, the shell has no data, and its policy allows nothing else."""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import timedelta, timezone

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from shared_code.dashboard import overview
from shared_code.eligibility import Decided
from shared_code.model import Reading, Verdict
from shared_code.outputs import UPCOMING
from shared_code.reports.dashboard import approval_page, near, overview_page, policy, run_page, shell
from shared_code.run_records import RunRecords, folder
from shared_code.runs import Progress, RunStatus
from shared_code.settings import configure
from shared_code.stop import Stop
from shared_code.tag_rules import RuleMode
from shared_code.upcoming import upcoming
from tests.fakes import NOW
from tests.memory_store import MemoryStore
from tests.reports.test_page import FOREIGN, HOSTILE, Outline
from tests.showing import SUBSCRIPTION, decision, ended, fill, plan_of

APPLIES = f'mode = "apply"\narmed_subscriptions = ["{SUBSCRIPTION.upper()}"]\nprotected_resource_groups = ["rg-core"]'
BY_ITSELF = "<strong>It deletes by itself what rules with the mode automatic plan"


def page_of(text: str = "Shop", *, stop: bool = False) -> str:
    """The overview of a store in which `text` stands wherever a stranger's may."""
    store = MemoryStore()
    fill(store, NOW, text)
    order = Stop(store, lambda: NOW)
    if stop:
        order.set(text, text)
    configuration = configure(b'[jobs.cleanup]\nschedule = "0 0 6 * * *"', "steward.toml", {})
    return b"".join(overview_page(overview(configuration, store, order, NOW))).decode()


def run_of(text: str, status: RunStatus = RunStatus.FAILED) -> str:
    """A run of which everything that can be foreign is."""
    unread = Verdict(subscription_id=SUBSCRIPTION, subscription_name=text, reading=Reading.INCOMPLETE, reason=text)
    run = ended(
        "tag-audit",
        NOW,
        status=status,
        requested_by=text,
        error=text,
        subscriptions=(unread,),
        counts={"changed": 2},
        progress=Progress(1, 2),
    )
    return b"".join(run_page(run)).decode()


def approval_of(text: str, refusal: str | None = None) -> str:
    """A plan of which everything that can be foreign is."""
    return b"".join(approval_page(plan_of(ended("cleanup", NOW), "disk", text), refusal)).decode()


PAGES: dict[str, Callable[[str], str]] = {
    "overview": page_of,
    "run": run_of,
    "plan": lambda text: approval_of(text, text),
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("text", HOSTILE)
def test_what_strangers_wrote_is_text(name: str, text: str) -> None:
    """The markup is the same whatever they wrote."""
    assert Outline(PAGES[name](text)).markup == Outline(PAGES[name]("harmless")).markup


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=FOREIGN.filter(str.strip))
def test_whatever_they_write(text: str) -> None:
    assert Outline(page_of(text)).markup == Outline(page_of("harmless")).markup


class TestOverview:
    def test_what_waits_for_a_decision_comes_first(self) -> None:
        page = page_of()

        assert "1 deletion planned by cleanup" in page
        assert page.index('id="decisions"') < page.index('id="jobs"') < page.index('id="runs"')
        assert "may be applied until <time datetime" in page

    def test_numbers_and_what_they_are_of(self) -> None:
        texts = Outline(page_of()).texts

        for text in ("1,234", "91.0 %", "Resources over the last runs", "when approved", "in 3 h 0 min", "no owner"):
            assert text in texts or text in " ".join(texts)

    def test_nothing_to_show(self) -> None:
        store = MemoryStore()
        configuration = configure(b"", "steward.toml", {})

        page = b"".join(overview_page(overview(configuration, store, Stop(store, lambda: NOW), NOW))).decode()

        for text in ("Nothing.", "cleanup has not run yet.", "tag-audit has not run yet.", "None."):
            assert text in page

    def test_runs_that_only_failed_are_not_none(self) -> None:
        """Whoever reads that a job has not run yet looks in the wrong place."""
        store = MemoryStore()
        failed = ended("cleanup", NOW, status=RunStatus.FAILED)
        RunRecords(store).create(failed)
        configuration = configure(b"", "steward.toml", {})

        page = b"".join(overview_page(overview(configuration, store, Stop(store, lambda: NOW), NOW))).decode()

        section = page[page.index('<h2 id="cleanup">') :]
        said = " ".join(Outline(section[: section.index("</section>")]).texts)
        assert "none of the last runs of cleanup over the whole scope succeeded, even in part. The last is" in said
        assert "failed" in said
        assert "cleanup has not run yet" not in page

    def test_stop(self) -> None:
        """Where changes are stopped the page offers to allow them, else to stop them."""
        assert 'data-method="DELETE" data-path="/api/stop"' in page_of(stop=True)
        assert 'data-method="PUT" data-path="/api/stop"' not in page_of(stop=True)
        assert 'data-method="PUT" data-path="/api/stop"' in page_of()

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ("", "It plans, and deletes nothing by itself."),
            ('mode = "apply"', "It plans, and deletes nothing by itself."),
            (APPLIES, f"{BY_ITSELF} in 1 armed subscription.</strong>"),
        ],
    )
    def test_what_the_next_run_will_do(self, keys: str, said: str) -> None:
        """Somebody on call has to know whether anything is deleted before they look again."""
        store = MemoryStore()
        fill(store, NOW)
        rule = "[jobs.cleanup.rules.unattached-disk]\n"
        text = f'[jobs.cleanup]\nschedule = "0 0 9 * * *"\n{keys}\n{rule}'
        configuration = configure(text.encode(), "steward.toml", {})
        own = Stop(store, lambda: NOW)

        page = b"".join(overview_page(overview(configuration, store, own, NOW))).decode()

        assert 'The next run is <time datetime="2026-11-22T09:00:00Z">' in page
        assert said in page
        own.set("operator@example.com", "so")
        stopped = b"".join(overview_page(overview(configuration, store, Stop(store, lambda: NOW), NOW))).decode()
        assert "It deletes nothing, since changes are stopped." in stopped

    @pytest.mark.parametrize(
        ("keys", "said"), [("", "when approved"), ('mode = "apply"', "when approved"), (APPLIES, "by the timer")]
    )
    def test_who_deletes_what_an_automatic_rule_has_planned(self, keys: str, said: str) -> None:
        """The timer, where the job applies and the subscription is armed; else nobody without approval."""
        store = MemoryStore()
        run = fill(store, NOW)["cleanup"]
        planned = decision("planned", Decided.PLANNED, None, mode=RuleMode.AUTOMATIC)
        store.write(f"{folder(run.id)}/{UPCOMING}", msgspec.json.encode(upcoming([planned])))
        text = f"[jobs.cleanup]\n{keys}\n[jobs.cleanup.rules.unattached-disk]\n"
        configuration = configure(text.encode(), "steward.toml", {})

        page = b"".join(overview_page(overview(configuration, store, Stop(store, lambda: NOW), NOW))).decode()

        assert {"when approved", "by the timer"} & set(re.findall(r"when approved|by the timer", page)) == {said}

    def test_a_snooze_names_the_rule_and_the_resource(self) -> None:
        page = page_of()

        assert re.search(r'data-path="/api/snoozes/[0-9a-f]{64}" data-key="operator"', page)
        assert 'name="rule" value="unattached-disk"' in page


class TestRun:
    def test_one_that_goes_on_can_be_cancelled(self) -> None:
        page = run_of("x", RunStatus.RUNNING)

        assert "/cancel" in page
        assert "1 of 2 subscriptions" in page
        assert "data-frame" not in page

    def test_one_that_changed_something_can_be_undone(self) -> None:
        page = run_of("x")

        assert "/undo" in page
        assert "/cancel" not in page
        assert 'data-frame="/api/runs/' in page
        assert "Subscriptions that were not read completely" in page


class TestApproval:
    def test_the_digest_has_to_be_typed(self) -> None:
        page = approval_of("x")

        assert 'data-key="approver" data-digest="' in page
        assert "Deletes everything below" in page
        assert "refused" not in page

    def test_what_forbids_it_is_said(self) -> None:
        assert "Applying all of it is refused now: <bdi>it has expired</bdi>" in approval_of("x", "it has expired")


class TestShell:
    def test_it_has_no_data_and_loads_nothing(self) -> None:
        page = shell().decode()

        assert not re.search(r"(src|href)=\"(?!#)", page)
        assert "http:" not in page.replace("http://www.w3.org", "")
        assert "url(" not in page
        assert "@import" not in page

    def test_its_policy_names_each_script_and_style(self) -> None:
        """And nothing that is not in it could run, not even an attribute of an element."""
        page, allowed = shell().decode(), policy()
        inlines = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", page, re.DOTALL)

        assert len(inlines) == 4
        for text in inlines:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in allowed
        assert "unsafe" not in allowed
        assert allowed.startswith("default-src 'none'; connect-src 'self'; ")
        assert " style=" not in page
        assert not re.search(r"\son[a-z]+=", page)


@pytest.mark.parametrize(
    ("hours", "words"),
    [(1 / 3600, "in 1.0 s"), (3, "in 3 h 0 min"), (-1, "1 h 0 min ago"), (72, "in 3 days"), (-24 * 40, "40 days ago")],
)
def test_how_far_away_a_moment_is(hours: float, words: str) -> None:
    assert near(NOW, NOW + timedelta(hours=hours)) == words


class TestLocalTime:
    """A schedule by the clocks of a zone is shown in both times."""

    def test_a_job(self) -> None:
        """With what the next change of the clocks does, and what its timer calls for nothing."""
        store = MemoryStore()
        text = b"[jobs.cleanup]\nschedule = '0 30 2 * * *'\ntimezone = 'Europe/Berlin'"
        configuration = configure(text, "steward.toml", {})
        content = b"".join(overview_page(overview(configuration, store, Stop(store, lambda: NOW), NOW))).decode()

        assert content.count('<time datetime="2026-11-23T01:30:00Z">') == 2  # in the table, and of cleanup
        assert content.count("2026-11-23T02:30:00+01:00 Europe/Berlin") == 2
        assert "At 02:30, every day (Europe/Berlin)." in content
        assert "02:30 does not exist on that day, and runs at 03:30" in content
        assert "Timer 0 30 0-1 * * * in UTC; calls a day that start nothing: 1<" in content

    def test_a_run(self) -> None:
        at = NOW.astimezone(timezone(timedelta(hours=1)))
        run = ended("cleanup", NOW, scheduled_for=NOW, scheduled_local=at, timezone="Europe/Berlin", past_due=True)
        content = b"".join(run_page(run)).decode()

        assert "2026-11-22T06:00:00Z<br>2026-11-22T07:00:00+01:00 Europe/Berlin<br>past due" in content
        utc = b"".join(run_page(msgspec.structs.replace(run, scheduled_local=None, timezone=None))).decode()
        assert "2026-11-22T06:00:00Z<br>past due" in utc
