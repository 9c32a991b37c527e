"""Fixtures for Chromium with the page of a running dashboard."""

import os
import shutil

import figures
import pytest
from playwright.sync_api import expect, sync_playwright
from support import live
from support.stage import staged
from views import DESKTOP, VIEWS

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

# Events pass through seven processes on a host that may be busy.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory):
    """Run `up --no-demo` without events; each test uses its own campaigns."""
    yield from live.running(tmp_path_factory.mktemp("dashboard") / "state", "--no-demo")


@pytest.fixture(scope="module")
def browser():
    """Run Chromium. Playwright's event loop runs in this thread until the module's tests end."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.fail(
            f"none of {', '.join(CHROMIUM)} is on PATH: install Chromium "
            "(Debian: apt-get install chromium) to test the page"
        )
    # Chromium refuses to run as root with its sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    # Hostnames of other sites that resolve to this host.
    arguments.append("--host-resolver-rules=MAP *.example 127.0.0.1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


class Viewer:
    """A user of the page.

    Attributes:
        page: Playwright's page.
        complaints: the errors in the browser's console, including CSP violations.
    """

    def __init__(self, context, url: str) -> None:
        self.context = context
        self.page = context.new_page()
        self.complaints: list[str] = []
        self._url = url
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, place: str = "#/") -> None:
        """Load the page at this location and wait until it is live."""
        self.page.goto(self._url + place)
        self.wait_until("live")
        self.page.evaluate("window.sameDocument = true")

    def open_campaign(self, campaign: str) -> None:
        self.open(f"#/campaign/{campaign}")

    def scroll_down(self) -> None:
        """Scroll until the content below the charts has loaded."""
        expect(self.page.locator(".plot svg")).to_have_count(2)
        self.page.mouse.wheel(0, 3000)
        expect(self.page.get_by_role("heading", name="Links")).to_be_visible()

    def wait_until(self, state: str) -> None:
        expect(self.page.locator(".status")).to_have_attribute("data-state", state)

    def sees(self, within=None, **metrics: int) -> None:
        """Wait until the tiles show these numbers."""
        for metric, value in metrics.items():
            tile = (within or self.page).locator(f"[data-metric={metric}]")
            expect(tile).to_have_attribute("data-value", str(value))

    def has_not_reloaded(self) -> bool:
        return self.page.evaluate("window.sameDocument === true")

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    def _hear(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture
def new_viewer(browser, dashboard):
    """Return a factory of viewers; the test fails if a browser logs an error."""
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


@pytest.fixture
def stage():
    with staged(figures.lively()) as stage:
        yield stage


@pytest.fixture
def look(browser, stage):
    """Return a function that opens a view; the test fails if the browser logs an error."""
    contexts, complaints = [], []

    def look(view="overview"):
        context = browser.new_context(viewport=DESKTOP, locale="en-GB", timezone_id="Europe/Zurich")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text) if said.type in {"error", "warning"} else None
            ),
        )
        page.goto(stage.url + VIEWS.get(view, view))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    yield look
    for context in contexts:
        context.close()
    assert complaints == []
