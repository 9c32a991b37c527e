"""The variants of a campaign and their judgement, with a fake server."""

import re
from itertools import product

import figures
import pytest
from figures import variant
from playwright.sync_api import expect
from support.scenes import PREFIX, SPRING
from support.stage import staged
from views import (
    CAMPAIGN,
    DESKTOP,
    PHONE,
    VIEWS,
    WALL_4K,
    adapt,
    overflow,
    record_shifts,
    shifts,
    violations,
)

from chalicelib.stats.counters import rates
from dashboard.deploy.publish_site import Authenticator

TOPIC = PREFIX + SPRING
NARROW = {"width": 320, "height": 640}


@pytest.fixture
def varied(stage):
    """Set the server's data to a campaign with the variants a and b, of which b is better."""
    stage.scene = figures.varied()
    return stage.scene.snapshots[TOPIC]["variants"]


def panel(page):
    return page.get_by_role("region", name="Variants")


def shown(page):
    """Scroll to the panel."""
    panel(page).scroll_into_view_if_needed()
    return panel(page)


def asked(stage):
    return [one["tag"] for one in stage.requests if one["action"] == "compareVariants"]


def cells(page, value):
    row = (
        panel(page)
        .get_by_role("row")
        .filter(has=page.get_by_role("rowheader", name=re.compile(f"^{value}")))
    )
    return row.get_by_role("cell")


def test_the_best_variant_is_named_with_its_probability(varied, look):
    page = look("campaign")

    expect(shown(page)).to_contain_text("is best, with a probability of more than 99.9%.")
    expect(cells(page, "b")).to_have_text(
        [re.compile(r"97\.1%6,062"), re.compile(r"22\.6%1,367"), re.compile(r"5\.6%340"), ">99.9%"]
    )
    expect(panel(page).get_by_role("rowheader", name="b best")).to_be_visible()
    expect(panel(page)).to_contain_text("Deciding at the first favorable moment is wrong")


@pytest.mark.parametrize(
    ("clicks", "leader", "probability"),
    [((300, 320), "b", "81.8%"), ((300, 300, 300), "c", "41.1%")],
)
def test_until_99_percent_it_is_too_early_to_tell(stage, look, clicks, leader, probability):
    stage.scene = figures.varied(clicks=clicks)
    page = look("campaign")

    said = shown(page).get_by_role("status")
    expect(said).to_contain_text("Too early to tell:")
    expect(said).to_contain_text(re.compile(rf"{leader}.+leads \({probability}\)\.$"))
    expect(panel(page).locator(".badge")).to_have_count(0)


def test_too_few_deliveries_are_counted(stage, look):
    rows = [variant("variant", "a", 150, 9), variant("variant", "b", 140, 12)]
    stage.scene.snapshots[TOPIC]["variants"] = rows
    page = look("campaign")

    said = shown(page).get_by_role("status")
    expect(said).to_have_text(re.compile(r"^Too few deliveries to judge: 140 of 200 for .+b.+\.$"))
    expect(cells(page, "a").last).to_have_text("\N{EN DASH}")


def test_a_campaign_without_variants_has_no_panel_and_asks_nothing(stage, look):
    page = look("campaign")
    expect(page.get_by_role("heading", name="Links")).to_be_attached()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(500)

    expect(panel(page)).to_have_count(0)
    assert asked(stage) == []


def test_one_value_is_shown_but_not_compared(stage, varied, look):
    del varied[1:]
    page = look("campaign")

    expect(shown(page)).to_contain_text("Only one value so far")
    page.wait_for_timeout(1500)
    assert asked(stage) == []


def test_each_tag_has_a_table_and_a_sentence(stage, varied, look):
    varied += figures.varied(tag="audience", clicks=(200, 201)).snapshots[TOPIC]["variants"]
    page = look("campaign")

    expect(shown(page).get_by_role("table")).to_have_count(2)
    expect(panel(page).get_by_role("status").first).to_contain_text("Too early to tell")
    expect(panel(page).get_by_role("status").last).to_contain_text("is best")
    assert sorted(asked(stage)) == ["audience", "variant"]


def test_more_than_20_values_have_a_row_for_the_rest(stage, varied, look):
    rows = [variant("variant", f"v{number:02}", 400, 20) for number in range(20)]
    varied[:] = [*rows, variant("variant", "other", 4204, 198, rest=True)]
    page = look("campaign")

    expect(shown(page).get_by_role("row")).to_have_count(22)
    expect(cells(page, "All other emails").nth(2)).to_contain_text("198")


def test_variants_are_live_and_judged_again_after_15_seconds(stage, varied, look):
    page = look("nowhere")
    page.clock.install()
    page.goto("about:blank")
    page.goto(stage.url + CAMPAIGN)
    expect(panel(page)).to_be_attached()
    page.clock.run_for(2000)
    assert asked(stage) == []  # it is below the window
    shown(page)
    page.clock.run_for(2000)
    expect(panel(page)).to_contain_text("is best")
    assert len(asked(stage)) == 1

    page.clock.run_for(40_000)
    assert len(asked(stage)) == 1  # nothing has changed
    counts = varied[0]["counts"] | {"unique_human_clicks": 339}
    varied[0] |= {"version": 6, "counts": counts, "rates": rates(counts)}
    stage.push(TOPIC, {"variants": [varied[0]]})
    expect(cells(page, "a").nth(2)).to_contain_text("339")
    page.clock.run_for(2000)
    expect(panel(page)).to_contain_text("Too early to tell")
    assert len(asked(stage)) == 2

    counts = varied[0]["counts"] | {"unique_human_clicks": 380}
    stage.push(TOPIC, {"variants": [varied[0] | {"version": 7, "counts": counts}]})
    expect(cells(page, "a").nth(2)).to_contain_text("380")
    page.clock.run_for(9000)
    assert len(asked(stage)) == 2


def test_a_comparison_of_variants_that_is_refused_says_why(stage, varied, look):
    stage.scene.comparison_refusal = {"code": "invalid_request", "message": "two are needed"}
    page = look("campaign")

    expect(shown(page)).to_contain_text("The variants could not be compared (two are needed).")
    expect(cells(page, "b").nth(2)).to_contain_text("340")
    page.wait_for_timeout(4000)
    assert len(asked(stage)) == 1


def test_a_share_link_shows_variants(browser):
    issuer = Authenticator(
        "https://issuer", "page", "https://issuer/a", "https://issuer/t", "o", ""
    )
    with staged(figures.varied(), issuer) as stage:
        page = browser.new_page()
        # The token's payload is {"campaign": "spring-sale"}.
        page.goto(f"{stage.url}#/share/e30.eyJjYW1wYWlnbiI6InNwcmluZy1zYWxlIn0.e30")
        expect(panel(page)).to_be_attached()
        expect(shown(page)).to_contain_text("is best")
        page.close()


def test_axe_finds_no_violation_in_variants(varied, look):
    varied += figures.varied(tag="audience", clicks=(200, 201)).snapshots[TOPIC]["variants"]
    page = look("campaign")
    expect(shown(page)).to_contain_text("is best")

    for scheme, size in product(["light", "dark"], [DESKTOP, PHONE]):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.evaluate("scrollTo(0, 0)")  # the header covers what is below it
        assert violations(page) == [], (scheme, size)


def test_variants_with_long_values_fit_windows_from_320_pixels(varied, look):
    for row in varied:
        row["value"] += "-a-very-long-value" * 4
    page = look("campaign")
    expect(shown(page)).to_contain_text("is best")

    for direction, size in product(["ltr", "rtl"], [NARROW, PHONE, DESKTOP]):
        page.evaluate("direction => { document.documentElement.dir = direction }", direction)
        page.set_viewport_size(size)
        adapt(page)
        assert overflow(page) == 0, (direction, size)


@pytest.mark.parametrize("size", [DESKTOP, WALL_4K])
def test_variants_move_nothing_that_is_visible(browser, stage, varied, size):
    stage.scene.delay_seconds = 0.2
    context = browser.new_context(viewport=size)
    page = context.new_page()
    record_shifts(page)
    page.goto(stage.url + VIEWS["campaign"])
    expect(panel(page)).to_be_attached()
    page.wait_for_timeout(1500)

    assert shifts(page) == []
    context.close()
