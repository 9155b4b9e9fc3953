"""Reports as people open them: a file in a browser without a network, whatever strangers wrote into the estate."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from shared_code.eligibility import Decided
from shared_code.outcomes import Result
from tests.browser.conftest import HOSTILE
from tests.reports import test_cleanup, test_outcomes, test_page, test_plan, test_tag_audit

LONG = HOSTILE + "W" * (256 - len(HOSTILE))
"""As long as Azure lets the value of a tag be, with no place to break a line."""


def of_outcomes(text: str) -> str:
    told = [test_outcomes.outcome(number, Result.FAILED, text, reason=text) for number in range(3)]
    return test_outcomes.page_of(*told, error=text)


def of_cleanup(text: str) -> str:
    usual = test_cleanup.decision("disk", Decided.PLANNED)
    hostile = msgspec.structs.replace(usual, resource_id=usual.resource_id + text, reasons=(text, text), detail=text)
    return test_cleanup.page_of(usual, hostile, planned=2)


def of_plan(text: str) -> str:
    usual = test_plan.disk(test_plan.ONE, "a", text)
    return test_plan.page_of(test_plan.plan_of(usual, msgspec.structs.replace(usual, reason=text, rule=text)))


REPORTS: dict[str, Callable[[str], str]] = {
    "resource-groups": test_page.with_text,
    "tag-audit": test_tag_audit.with_text,
    "outcomes": of_outcomes,
    "cleanup": of_cleanup,
    "plan": of_plan,
}


@dataclass
class Reader:
    """Somebody with a report, whatever their browser complained of, and every address it asked for."""

    page: Page
    folder: Path
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, name: str, text: str = LONG) -> None:
        """Save a report with that text wherever a stranger's may stand, and open the file."""
        file = self.folder / f"{name}.html"
        file.write_text(REPORTS[name](text), encoding="utf-8")
        self.page.goto(file.as_uri())


@pytest.fixture
def reader(browser: Browser, tmp_path: Path) -> Iterator[Reader]:
    context = browser.new_context(offline=True)
    reader = Reader(context.new_page(), tmp_path)

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            reader.complaints.append(message.text)

    reader.page.on("console", heard)
    reader.page.on("pageerror", lambda error: reader.complaints.append(str(error)))
    reader.page.on("dialog", lambda dialog: reader.complaints.append(f"dialog {dialog.message}"))
    reader.page.on("request", lambda request: reader.asked.append(request.url))
    yield reader
    context.close()


@pytest.mark.parametrize("name", REPORTS)
def test_what_strangers_wrote_is_text(reader: Reader, name: str) -> None:
    """No script of theirs runs, no element of theirs is made, nothing is asked of anybody, and the text is there."""
    reader.open(name)

    assert "taken" not in reader.page.title()
    assert reader.page.locator("img, iframe, object, embed, base, form").count() == 0
    assert HOSTILE[:60] in reader.page.inner_text("body")
    assert [url for url in reader.asked if not url.startswith("file:")] == []
    assert reader.complaints == []


@pytest.mark.parametrize("name", REPORTS)
def test_what_they_wrote_turns_nothing_else_around(reader: Reader, name: str) -> None:
    """A mark that reverses the direction of text ends where the value ends."""
    reader.open(name)

    around = reader.page.evaluate(
        """() => {
            const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
            while (texts.nextNode()) {
                const at = texts.currentNode.parentElement;
                if (!texts.currentNode.data.includes("\\u202e") || at.closest("script, style")) continue;
                const isolated = each => getComputedStyle(each).unicodeBidi.includes("isolate");
                let each = at;
                while (each && !isolated(each)) each = each.parentElement;
                if (!each || each === document.body) found.push(texts.currentNode.data.slice(0, 80));
            }
            return found;
        }"""
    )

    assert around == []


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [1280, 768, 390])
def test_it_fits_every_screen(reader: Reader, name: str, width: int) -> None:
    """However long a value is, the page never scrolls sideways; a table that is wider does so by itself."""
    reader.page.set_viewport_size({"width": width, "height": 900})

    reader.open(name)

    assert reader.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", REPORTS)
def test_it_prints_on_paper(reader: Reader, name: str) -> None:
    """Nothing that only a screen can do is on the paper, and nothing is cut off at its edge."""
    reader.page.set_viewport_size({"width": 718, "height": 1000})  # A4 between its margins
    reader.page.emulate_media(media="print")

    reader.open(name)

    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 718
    assert reader.page.locator("label.filter:visible").count() == 0
    assert reader.page.pdf(format="A4").startswith(b"%PDF")


def test_tables_are_sorted_and_filtered_in_the_page(reader: Reader) -> None:
    """By a click, and by what is typed; a hostile value sorts like any other."""
    reader.open("outcomes", "harmless")
    table = reader.page.locator("table.sortable").first
    rows = table.locator("tbody tr")
    before = rows.all_inner_texts()

    table.locator("thead button").first.click()
    table.locator("thead button").first.click()

    assert sorted(rows.all_inner_texts()) == sorted(before)
    expect(table.locator("thead th").first).to_have_attribute("aria-sort", "descending")
    reader.page.locator("label.filter input").first.fill("s/2/harmless")
    expect(table.locator("tbody tr:visible")).to_have_count(1)
    assert reader.complaints == []
