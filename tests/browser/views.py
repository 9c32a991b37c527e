"""The views of the page, the sizes of windows, and measurements of a view."""

import time
from collections.abc import Callable
from functools import cache

from support.scenes import SPRING

from dashboard.paths import STATIC

CAMPAIGN = f"#/campaign/{SPRING}"
VIEWS = {
    "overview": "#/",
    "campaign": CAMPAIGN,
    "report": f"#/report/{SPRING}",
    "by age": f"{CAMPAIGN}?age=human_opens",
    "activity": f"{CAMPAIGN}/all",
    "by time": f"{CAMPAIGN}/sends",
    "recipients": f"{CAMPAIGN}/recipients?state=not_opened",
    "recipient": f"{CAMPAIGN}/recipients?recipient=li.wei%40example.org",
    "comparison": f"#/compare/{SPRING}/newsletter-2026-11/welcome-series-3",
    "choosing": "#/compare",
    "wall": f"#/wall/{SPRING}",
    "health": "#/health",
    "nowhere": "#/nowhere",
}
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
NARROW = {"width": 320, "height": 640}
WALL_4K = {"width": 3840, "height": 2160}

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def overflow(page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def adapt(page) -> None:
    """Wait until charts and tables have adapted to the size of the window: for some frames."""
    page.evaluate(
        "new Promise(done => { let left = 8;"
        " const next = () => left-- ? requestAnimationFrame(next) : done(); next(); })"
    )


def wait_for(page, check: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until a check is true, or for this long; an assertion that follows says what is missing."""
    until = time.monotonic() + seconds
    while not check() and time.monotonic() < until:
        page.wait_for_timeout(50)


def record_shifts(page) -> None:
    """Record from the next navigation on how far what is visible moves without being asked to.

    See https://web.dev/articles/cls.
    """
    page.add_init_script(
        "window.shifted = 0; window.moved = []; new PerformanceObserver(list => {"
        " for (const one of list.getEntries()) {"
        "  window.shifted += one.value;"
        "  for (const { node } of one.sources) window.moved.push(node?.outerHTML?.slice(0, 200));"
        " }"
        "}).observe({ type: 'layout-shift', buffered: true })"
    )


def shifts(page) -> list[str]:
    """Return what has moved, as HTML; empty if it has moved less than can be noticed."""
    return page.evaluate("window.shifted < 0.02 ? [] : window.moved")


def delay_code(page, seconds: float = 0.15) -> None:
    """Delay each JavaScript file by this many seconds more than the previous one."""

    def answer(route) -> None:
        time.sleep(seconds)
        route.continue_()

    page.route("**/*.js", answer)


def violations(page) -> list[tuple[str, str]]:
    """Return the accessibility rules that axe finds violated, with an element each."""
    page.evaluate(_axe())
    options = {"runOnly": _RULES, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]


@cache
def _axe() -> str:
    return (STATIC / "node_modules" / "axe-core" / "axe.min.js").read_text()
