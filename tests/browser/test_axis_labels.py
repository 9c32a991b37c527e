"""The labels of the axes of charts, in a locale with long times."""

import figures
import pytest
from playwright.sync_api import expect
from support.scenes import SPRING, ago
from support.stage import staged
from views import CAMPAIGN

WIDTHS = range(320, 1300, 35)

# The labels of a chart that lie over another label of the same axis, or are cut off.
_HIDDEN = """() => [...document.querySelectorAll('.plot svg')].flatMap((svg) => {
    const edge = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll('text[text-anchor=middle]')]
        .map((one) => [one.textContent, one.getBoundingClientRect()])
        .sort(([, a], [, b]) => a.left - b.left);
    return boxes.filter(([, box], index) => box.left < (boxes[index - 1]?.[1].right ?? edge.left - 1)
        || box.right > edge.right + 1).map(([label]) => label);
})"""


@pytest.fixture
def page(browser):
    page = browser.new_page(locale="en-US", timezone_id="America/New_York")
    yield page
    page.close()


def hidden_labels(page):
    """Return the labels that cannot be read, with the width of the window."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)))")
        found += [(width, label) for label in page.evaluate(_HIDDEN)]
    return found


@pytest.mark.parametrize("view", ["", "?grain=hour", "?age=human_opens"])
def test_no_label_of_a_timeline_lies_over_another_one(page, view):
    with staged(figures.lively()) as stage:
        page.goto(f"{stage.url}{CAMPAIGN}{view}")
        expect(page.locator(".plot svg text[text-anchor=middle]")).not_to_have_count(0)
        assert hidden_labels(page) == []


@pytest.mark.parametrize("minutes", [1.5, 17, 95, 1000])
def test_no_label_of_a_comparison_lies_over_another_one(page, minutes):
    scene = figures.lively()
    for one in scene.snapshots[figures.LIST]["campaigns"]:
        one["first_event_at"] = ago(minutes * 60)
    with staged(scene) as stage:
        page.goto(f"{stage.url}#/compare/{SPRING}/winter-clearance")
        expect(page.locator(".plot svg text[text-anchor=middle]")).not_to_have_count(0)
        assert hidden_labels(page) == []
