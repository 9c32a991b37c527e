"""A real Chromium, showing the page of a real dashboard."""

import os
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright
from support import live

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

# Events pass seven processes on the way to the screen, on a machine that may be busy.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory):
    """A running `up --no-demo`, empty at first; tests use campaigns of their own."""
    yield from live.running(tmp_path_factory.mktemp("dashboard") / "state", "--no-demo")


@pytest.fixture(scope="module")
def browser():
    """Chromium. Playwright's event loop runs in this thread until the module's tests are done."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.fail(
            f"none of {', '.join(CHROMIUM)} is on PATH: install Chromium "
            "(Debian: apt-get install chromium) to test the page"
        )
    # Chromium refuses to run as root with its sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    # Names of other sites, which lead to this machine.
    arguments.append("--host-resolver-rules=MAP *.example 127.0.0.1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


class Viewer:
    """Somebody who looks at the page.

    Attributes:
        page: Playwright's page.
        complaints: what the browser complained of on its console, CSP violations among it.
    """

    def __init__(self, context, url: str) -> None:
        self.context = context
        self.page = context.new_page()
        self.complaints: list[str] = []
        self._url = url
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, place: str = "#/") -> None:
        """Load the page at this place and wait until it is live."""
        self.page.goto(self._url + place)
        self.wait_until("live")
        self.page.evaluate("window.sameDocument = true")

    def open_campaign(self, campaign: str) -> None:
        self.open(f"#/campaign/{campaign}")

    def scroll_down(self) -> None:
        """Scroll until what stands below the charts is there."""
        expect(self.page.locator(".plot canvas")).to_have_count(2)
        self.page.mouse.wheel(0, 3000)
        expect(self.page.get_by_role("heading", name="Links")).to_be_visible()

    def wait_until(self, state: str) -> None:
        expect(self.page.locator(".status")).to_have_attribute("data-state", state)

    def sees(self, within=None, **metrics: int) -> None:
        """Wait until the tiles hold these numbers."""
        for metric, value in metrics.items():
            tile = (within or self.page).locator(f"[data-metric={metric}]")
            expect(tile).to_have_attribute("data-value", str(value))

    def has_not_reloaded(self) -> bool:
        return self.page.evaluate("window.sameDocument === true")

    def overflow(self) -> int:
        """Measure by how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    def _hear(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture
def new_viewer(browser, dashboard):
    """Make viewers; a test fails when the browser complained of anything in front of one."""
    viewers = []

    def make(**options) -> Viewer:
        viewers.append(Viewer(browser.new_context(**options), dashboard.info["dashboard"]))
        return viewers[-1]

    yield make
    for viewer in viewers:
        viewer.context.close()
    assert [complaint for viewer in viewers for complaint in viewer.complaints] == []


@pytest.fixture
def viewer(new_viewer):
    return new_viewer(viewport={"width": 1280, "height": 900})
