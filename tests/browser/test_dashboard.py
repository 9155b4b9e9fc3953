"""The dashboard in a real browser: what somebody on call sees and does, on any screen, whatever strangers wrote."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from devkit.simulator import load_estate
from tests.app.conftest import start_run, wait_ended, world_of
from tests.browser.conftest import HOSTILE, Seat, seated

ARMED = """
[scope]
subscriptions = ["5c000000-0000-4000-8000-000000000001"]
[jobs.cleanup]
schedule = "0 0 6 1 1 *"
armed_subscriptions = ["5c000000-0000-4000-8000-000000000001"]
protected_resource_groups = ["rg-core-*"]
max_share = 0.9

[jobs.cleanup.rules.unattached-disk]
minimum_age = "1d"
minimum_observations = 1
"""


class TestKeys:
    def test_nothing_is_shown_before_there_is_a_key(self, seat: Seat) -> None:
        seat.page.goto(f"{seat.host.url}/api/dashboard")

        expect(seat.page.locator("#enter")).to_be_visible()
        assert seat.page.inner_text("#content") == ""
        assert seat.complaints == []

    def test_a_wrong_one_shows_nothing(self, seat: Seat) -> None:
        seat.enter("wrong")

        seat.says("That key does not open this page.")
        expect(seat.page.locator("#enter")).to_be_visible()
        assert seat.page.inner_text("#content") == ""

    def test_it_stays_in_the_tab_until_it_is_forgotten(self, seat: Seat) -> None:
        """Neither in the address nor in a cookie nor where another tab finds it."""
        seat.enter()
        seat.heads("Overview")
        seat.page.reload()
        seat.heads("Overview")

        assert seat.host.keys.reader not in seat.page.url
        assert seat.page.context.cookies() == []
        assert seat.page.evaluate("localStorage.length") == 0
        other = seat.page.context.new_page()
        other.goto(f"{seat.host.url}/api/dashboard")
        expect(other.locator("#enter")).to_be_visible()
        seat.page.click("#leave")
        expect(seat.page.locator("#enter")).to_be_visible()
        assert seat.page.evaluate("sessionStorage.length") == 0
        assert seat.page.inner_text("#content") == ""

    def test_what_changes_something_asks_for_another(self, seat: Seat) -> None:
        """The reader's key starts nothing, and a wrong one is forgotten."""
        seat.enter()
        button = seat.page.get_by_role("button", name="Run list-resource-groups now")
        button.click()
        seat.page.click("#ask button[value=cancel]")
        seat.says("Nothing was sent.")
        button.click()
        seat.give(seat.host.keys.reader)
        seat.says("That is not the operator's key; nothing was done.")
        button.click()
        seat.give(seat.host.keys.operator)

        seat.heads("-list-resource-groups-")
        seat.says("is queued.")
        record = seat.world.record(seat.page.url.rpartition("/")[2])
        assert (record["trigger"], record["requested_by"]) == ("http", "operator@example.com")


class TestStrangers:
    @pytest.mark.parametrize("at", ["", "#run/{cleanup}", "#plan/{cleanup}", "#run/{audit}"])
    def test_what_they_wrote_is_text(self, seat: Seat, at: str) -> None:
        """No script of theirs runs, no element of theirs is made, and their text is there to be read."""
        places = {"cleanup": seat.world.run_ids("cleanup")[-1], "audit": seat.world.run_ids("tag-audit")[0]}
        seat.enter(at=at.format(**places))
        expect(seat.page.locator("#content h1")).to_be_visible()
        seat.page.wait_for_timeout(300)

        assert "taken" not in seat.page.title()
        assert seat.page.locator("img").count() == 0
        shown = [frame.inner_text("body") for frame in seat.page.frames]
        assert any(HOSTILE[:60] in text for text in shown)
        assert seat.complaints == []

    def test_an_address_that_somebody_made_up(self, seat: Seat) -> None:
        seat.enter(at="#run/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")

        seat.says("There is no run")
        assert seat.page.locator("img").count() == 0


SCREENS = [(1280, "light"), (768, "dark"), (390, "light")]


@pytest.mark.parametrize(("width", "scheme"), SCREENS, ids=["desk", "tablet", "phone"])
def test_it_fits_every_screen(seat: Seat, width: int, scheme: Any) -> None:
    """The page itself never scrolls sideways, and nothing complains."""
    seat.look(width, scheme)
    seat.enter()
    seat.heads("Overview")

    assert seat.page.evaluate("document.documentElement.scrollWidth") <= width
    for section in ("decisions", "jobs", "cleanup", "tags", "estate", "runs"):
        expect(seat.page.locator(f"#{section}")).to_be_visible()
    assert seat.page.locator("svg.trend").count() >= 3
    assert seat.complaints == []


def test_on_a_phone_each_row_is_a_card_with_the_names_of_its_values(seat: Seat) -> None:
    seat.look(390)
    seat.enter()
    seat.heads("Overview")

    cell = seat.page.locator("#jobs ~ .wide td[data-label='Next run']").first
    assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Next run"'
    wide = "[...document.querySelectorAll('table.stack')].filter(each => each.scrollWidth > innerWidth).length"
    assert seat.page.evaluate(wide) == 0


def test_it_works_without_a_mouse(seat: Seat) -> None:
    """The first stop leads to the content; every button and link can be reached, and what was opened has the focus."""
    seat.page.goto(f"{seat.host.url}/api/dashboard")
    expect(seat.page.locator("#reader")).to_be_focused()
    seat.page.keyboard.type(seat.host.keys.reader)
    seat.page.keyboard.press("Enter")
    seat.heads("Overview")
    expect(seat.page.locator("#content h1")).to_be_focused()
    seat.page.keyboard.press("Tab")
    expect(seat.page.locator("ul.cards a")).to_be_focused()
    seat.page.keyboard.press("Enter")

    seat.heads("Plan ")
    expect(seat.page.locator("#content h1")).to_be_focused()


def test_every_control_has_a_name(seat: Seat) -> None:
    """What a screen reader says of it."""
    seat.enter()
    seat.heads("Overview")

    unnamed = """() => [...document.querySelectorAll('button, input:not([type=hidden]), summary, a')].filter((each) =>
        !(each.getAttribute('aria-label') || each.textContent.trim() || each.labels?.length)).length"""
    assert seat.page.evaluate(unnamed) == 0
    assert seat.page.locator("table:not(:has(caption))").count() == 0


def test_tables_sort_and_filter(seat: Seat) -> None:
    seat.enter()
    table = seat.page.locator("#runs ~ .wide table")
    expect(table.locator("tbody tr").first).to_be_visible()
    table.get_by_role("button", name="Job").click()

    assert table.locator("th[aria-sort]").inner_text() == "Job ▲" or table.locator("th[aria-sort=ascending]").count()
    seat.page.get_by_label("Filter runs").fill("watchdog")
    shown = table.locator("tbody tr:not([hidden])")
    assert {shown.nth(row).locator("td").nth(1).inner_text() for row in range(shown.count())} == {"watchdog"}


def test_stop_and_resume(seat: Seat) -> None:
    """Stop takes a reason; the page says who said it, and takes it back."""
    seat.enter()
    seat.page.get_by_text("Stop all changes in Azure").click()
    seat.page.get_by_label("Reason").first.fill("too many deletions")
    seat.page.get_by_role("button", name="Stop all changes").click()
    seat.give(seat.host.keys.operator)

    seat.says("Changes are stopped.")
    expect(seat.page.locator("#stopped ~ p").first).to_contain_text("by operator@example.com: too many deletions.")
    seat.page.get_by_role("button", name="Resume changes").click()
    seat.says("Changes are allowed again.")
    expect(seat.page.locator("#stopped")).to_have_count(0)


def test_leave_something_alone(seat: Seat) -> None:
    """A day and a reason make a snooze of that rule and resource."""
    seat.enter()
    row = seat.page.locator("tr", has_text="/disks/soon")
    row.locator("summary").click()
    row.get_by_label("Until").fill("2027-02-01")
    row.get_by_label("Reason").fill("still needed")
    row.get_by_role("button", name="Leave it alone").click()
    seat.give(seat.host.keys.operator)

    seat.says("It is left alone from the next run on")
    [snooze] = seat.host.call("GET", "/api/snoozes").json()["snoozes"]
    assert (snooze["rule"], snooze["reason"], snooze["by"]) == (
        "unattached-disk",
        "still needed",
        "operator@example.com",
    )
    assert snooze["resource_id"].endswith("/disks/soon")
    assert snooze["until"] == "2027-02-02T00:00:00Z"


def test_from_a_plan_to_what_it_deleted(browser: Browser, tmp_path: Path) -> None:
    """Approving takes the approver's key and the beginning of the digest that was looked at."""
    with (
        world_of(tmp_path, load_estate("cleanup"), ARMED) as world,
        world.host() as host,
        seated(browser, world, host) as seat,
    ):
        planned = wait_ended(host, start_run(host, job="cleanup"))["plan"]
        digest = host.call("GET", f"/api/plans/{planned}").json()["digest"]
        seat.enter()
        seat.page.locator("ul.cards a").click()
        seat.heads(f"Plan {planned}")
        inside = seat.page.frame_locator("iframe")
        expect(inside.locator("h1")).to_have_text("Plan")
        expect(inside.locator("th button").first).to_be_visible()
        typed = seat.page.get_by_label("Type the first 8 characters of the digest")
        apply = seat.page.get_by_role("button", name="Apply this plan")

        typed.fill("00000000")
        apply.click()
        seat.says("What you typed is not how the digest of this plan begins; nothing was sent.")
        assert len(world.run_ids("cleanup")) == 1
        typed.fill(digest[:8])
        apply.click()
        seat.give(host.keys.operator)
        seat.says("That is not the approver's key; nothing was done.")
        assert len(world.run_ids("cleanup")) == 1
        apply.click()
        seat.give(host.keys.approver)

        seat.says("is queued.")
        applied = seat.page.url.rpartition("/")[2]
        ended = wait_ended(host, applied)
        assert (ended["requested_by"], ended["counts"]["deleted"] > 0) == ("operator@example.com", True)
        seat.page.click("#refresh")
        expect(seat.page.locator(".status")).to_have_text(ended["status"])
        expect(inside.locator("h1")).to_have_text("Deletions")
        assert seat.complaints == []
