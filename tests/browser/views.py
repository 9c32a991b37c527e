"""The views of the page, the sizes of windows, and measurements of a view."""

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
WALL_4K = {"width": 3840, "height": 2160}

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def overflow(page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def violations(page) -> list[tuple[str, str]]:
    """Return the accessibility rules that axe finds violated, with an element each."""
    page.evaluate(_axe())
    options = {"runOnly": _RULES, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]


@cache
def _axe() -> str:
    return (STATIC / "node_modules" / "axe-core" / "axe.min.js").read_text()
