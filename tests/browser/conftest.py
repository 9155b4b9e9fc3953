"""A real Chromium before a real host: who looks, what they see, and what the browser complains of.

Where there is no Chromium the tests skip and say so, unless STEWARD_REQUIRE names `browser`.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from devkit.local_host.process import HostProcess
from shared_code.store import open_store
from tests.app.conftest import World, small_estate, world_of
from tests.showing import fill

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CONFIG = """
[jobs.cleanup]
schedule = "0 0 6 1 1 *"
armed_subscriptions = ["5e000000-0000-4000-8000-000000000001"]
protected_resource_groups = ["rg-core"]

[jobs.cleanup.rules.unattached-disk]

[jobs.list-resource-groups]
schedule = "0 0 5 1 1 *"

[jobs.tag-audit]
schedule = "0 30 5 1 1 *"
"""
HOSTILE = (
    "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    "</bdi></td></table>'\"{{7*7}}\u202egpj.exe =HYPERLINK(1)"
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        if "browser" in os.environ.get("STEWARD_REQUIRE", "").split(","):
            pytest.fail("STEWARD_REQUIRE names browser, and there is no Chromium on the PATH")
        pytest.skip("there is no Chromium on the PATH; install it, for example with 'apt-get install chromium'")
    with sync_playwright() as playwright:
        # Chromium's sandbox needs rights that a container may not have; what is shown here is our own.
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@dataclass
class Seat:
    """Somebody before the dashboard, with keys, and all that their browser has complained of."""

    page: Page
    host: HostProcess
    world: World
    complaints: list[str] = field(default_factory=list)

    def enter(self, key: str | None = None, by: str = "operator@example.com", at: str = "") -> None:
        """Open the page and give a key; the reader's, unless another is given."""
        self.page.goto(f"{self.host.url}/api/dashboard{at}")
        self.page.fill("#reader", self.host.keys.reader if key is None else key)
        self.page.fill("#by", by)
        self.page.click("#enter button")

    def look(self, width: int = 1280, scheme: Any = "light") -> None:
        """Look with a screen of that width."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme)

    def says(self, text: str) -> None:
        """Wait until the page says so."""
        expect(self.page.locator("#said")).to_contain_text(text)

    def heads(self, text: str) -> None:
        """Wait until this is the heading of what is shown."""
        expect(self.page.locator("#content h1")).to_contain_text(text)

    def give(self, key: str) -> None:
        """Answer the question for another key."""
        self.page.fill("#ask-key", key)
        self.page.click("#ask button[value=use]")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, HostProcess]]:
    """A host whose store has something of everything, all of it as hostile as strangers can make it."""
    with world_of(tmp_path_factory.mktemp("browser"), small_estate(1), CONFIG) as world:
        fill(open_store(world.store.as_uri()), datetime.now(UTC), HOSTILE)
        with world.host() as host:
            yield world, host


@contextmanager
def seated(browser: Browser, world: World, host: HostProcess) -> Iterator[Seat]:
    """Give somebody new, in a browser that knows nothing."""
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    seat = Seat(page, host, world)

    def heard(message: ConsoleMessage) -> None:
        # That a request was refused is said on the page, too.
        if message.type == "error" and "responded with a status of 4" not in message.text:
            seat.complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: seat.complaints.append(str(error)))
    page.on("dialog", lambda dialog: seat.complaints.append(f"dialog {dialog.message}"))
    yield seat
    context.close()


@pytest.fixture
def seat(browser: Browser, served: tuple[World, HostProcess]) -> Iterator[Seat]:
    """Somebody new before everything there may be."""
    with seated(browser, *served) as seat:
        yield seat
