"""The comparison of campaigns, with a fake server."""

import re

import figures
import pytest
from playwright.sync_api import expect
from support.scenes import SPRING, ago
from support.stage import staged
from views import DESKTOP, PHONE, adapt, overflow, record_shifts, shifts, violations

from chalicelib.stats.counters import rates
from dashboard.deploy.publish_site import Authenticator

LIST = figures.LIST
WINTER, NEWS, WELCOME = "winter-clearance", "newsletter-2026-11", "welcome-series-3"
OLD = f"#/compare/{WINTER}/{NEWS}/{WELCOME}"
FOREIGN = "تخفيضات-الربيع"
SIX = f"#/compare/{SPRING}/{WINTER}/{NEWS}/{WELCOME}/price-change-notice/{FOREIGN}"
NARROW = {"width": 320, "height": 640}


def entry(stage, name):
    return next(one for one in stage.scene.snapshots[LIST]["campaigns"] if one["id"] == name)


def count(stage, name, **counts):
    """Set counters of a campaign."""
    one = entry(stage, name)
    one["counts"] = one["counts"] | counts
    one["rates"] = rates(one["counts"])


def requests(stage):
    return [one for one in stage.requests if one["action"] == "compare"]


def expect_names(page, expected):
    """Wait until these campaigns are compared."""
    expect(page.locator(".compared thead a")).to_have_text(expected)


def cell(page, rate, number):
    """Return the cell of a rate and a campaign."""
    return page.get_by_role("row", name=re.compile(f"^{rate}")).get_by_role("cell").nth(number)


def lead(page):
    """Return the locator of the sentence above the table."""
    return page.locator(".lead")


def place(page) -> str:
    return page.evaluate("decodeURIComponent(location.hash)")


def test_campaigns_are_chosen_from_the_list_with_the_keyboard(look):
    page = look()
    page.get_by_role("link", name="Compare").press("Enter")
    expect(page.get_by_text("Choose 2 to 6 campaigns.")).to_be_visible()
    for name in (NEWS, WELCOME):
        box = page.get_by_role("checkbox", name=re.compile(name))
        box.focus()
        page.keyboard.press("Space")
        expect(box).to_be_checked()
        expect(box).to_be_focused()

    expect(page.locator(".compared")).to_be_visible()
    expect_names(page, [NEWS, WELCOME])
    assert place(page) == f"#/compare/{NEWS}/{WELCOME}"
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("checkbox")).to_have_count(0)

    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Campaigns")


def test_a_campaign_leads_to_its_comparison_with_another_one(look):
    page = look("campaign")
    page.get_by_role("link", name="Compare").click()

    expect(page.get_by_text("Choose at least one more campaign.")).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile(SPRING))).to_be_checked()
    page.get_by_role("checkbox", name=re.compile(WINTER)).check()
    expect(page.locator(".compared")).to_be_visible()
    expect_names(page, [SPRING, WINTER])


def test_a_search_finds_the_campaigns_to_compare(stage, look):
    stage.scene = figures.many(120)
    page = look(f"#/compare/{WELCOME}")
    expect(page.get_by_role("checkbox")).to_have_count(51)

    page.get_by_label("Search campaigns").fill("winter")
    expect(page.get_by_role("checkbox")).to_have_count(2)
    expect(page.get_by_role("checkbox", name=re.compile(WELCOME))).to_be_checked()
    page.get_by_role("checkbox", name=re.compile(WINTER)).check()
    expect(page.locator(".compared")).to_be_visible()

    page.get_by_label("Search campaigns").fill("qqqq")
    expect(page.get_by_text("No campaign matches “qqqq”.")).to_be_visible()


def test_no_more_than_six_campaigns_can_be_chosen(stage, look):
    stage.scene = figures.many(20)
    page = look(SIX)
    page.get_by_role("button", name="Choose campaigns").click()

    expect(page.get_by_text("6 of 6 chosen")).to_be_visible()
    expect(page.locator(".choices input:checked")).to_have_count(6)
    expect(page.locator(".choices input:not(:checked):enabled")).to_have_count(0)
    page.get_by_role("checkbox", name=re.compile(WINTER)).uncheck()
    expect(page.locator(".choices input:disabled")).to_have_count(0)


def test_a_reload_and_a_sent_link_show_the_same_comparison(look):
    page = look(OLD)
    expect(page.locator(".compared")).to_be_visible()
    said = lead(page).inner_text()

    page.reload()
    expect(lead(page)).to_have_text(said)
    expect_names(page, [WINTER, NEWS, WELCOME])


def test_back_restores_the_reference_and_what_was_removed(look):
    page = look(OLD)
    page.get_by_role("button", name=f"Set as reference: {WELCOME}").click()
    expect(page.locator(".compared thead a").first).to_have_text(WELCOME)
    expect(lead(page)).to_be_focused()
    page.get_by_role("button", name=f"Remove: {NEWS}").click()
    expect(page.locator(".compared thead a")).to_have_count(2)
    expect_names(page, [WELCOME, WINTER])

    page.go_back()
    expect(page.locator(".compared thead a")).to_have_count(3)
    expect_names(page, [WELCOME, WINTER, NEWS])
    page.go_back()
    expect(page.locator(".compared thead a").first).to_have_text(WINTER)


def test_when_one_campaign_is_left_another_one_can_be_chosen(look):
    page = look(f"#/compare/{WINTER}/{NEWS}")
    page.get_by_role("button", name=f"Remove: {WINTER}").click()

    expect(page.get_by_text("Choose at least one more campaign.")).to_be_visible()
    expect(page.locator(".compared")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_role("checkbox", name=re.compile(WELCOME)).check()
    expect(page.get_by_role("button", name="Done")).to_be_visible()
    expect_names(page, [NEWS, WELCOME])


def test_a_clear_difference_is_marked_and_said_in_a_sentence(look):
    page = look(OLD)

    expect(lead(page)).to_contain_text(re.compile(rf"{WELCOME}\W? is clearly ahead: 44\.0% human"))
    opens = cell(page, "Human opens", 2)
    expect(opens).to_contain_text("+13.0 points")
    expect(opens).to_contain_text(re.compile(r"\(\+\d+\.\d to \+\d+\.\d\)"))
    expect(opens).to_contain_text("▲ higher")
    expect(cell(page, "Human opens", 1)).to_contain_text("▼ lower")
    expect(cell(page, "Human opens", 0)).to_have_text(re.compile(r"31\.0% 3,600$"))


def test_a_difference_that_chance_explains_is_called_unclear(stage, look):
    count(stage, WINTER, unique_human_opens=3600, unique_human_clicks=350)
    count(stage, WELCOME, unique_human_opens=670, unique_human_clicks=66)
    page = look(f"#/compare/{WINTER}/{WELCOME}")

    expect(lead(page)).to_have_text(
        "There is no clear difference in human opens (30.9% to 31.0%); "
        "there is no clear difference in human clicks (3.0% to 3.0%)."
    )
    for rate in ("Human opens", "Human clicks"):
        expect(cell(page, rate, 1)).to_contain_text("no clear difference")


def test_what_intervals_cover_is_explained(look):
    page = look(OLD)
    page.get_by_role("button", name="What do the intervals cover?").hover()

    expect(page.get_by_text("such as the audience, the weekday or the offer")).to_be_visible()


def test_young_campaigns_are_compared_at_the_age_of_the_youngest(stage, look):
    entry(stage, WINTER)["first_event_at"] = ago(2.2 * 86_400)
    entry(stage, NEWS)["first_event_at"] = ago(1.6 * 86_400)
    page = look(f"#/compare/{WINTER}/{NEWS}")

    expect(lead(page)).to_contain_text(
        re.compile(rf"^1 d 12 h after sending, \W?{WINTER}\W? is clearly ahead: 29\.\d% human")
    )
    expect(page.locator(".panel-head .span").first).to_have_text(
        "opens and clicks within 1 d 12 h of each email; other rates are totals so far"
    )
    for rate in ("Human opens", "Human clicks"):
        expect(cell(page, f"{rate} after 1 d 12 h", 1)).to_contain_text("▼ lower")
        expect(cell(page, f"{rate} so far", 1)).not_to_contain_text("points")
    expect(cell(page, "Human opens after 1 d 12 h", 0)).to_have_text(
        re.compile(r"29\.\d% 3,4\d\d$")
    )
    expect(cell(page, "Human opens so far", 0)).to_have_text(re.compile(r"31\.0% 3,600$"))


def test_settled_campaigns_are_compared_by_their_totals(look):
    page = look(OLD)

    expect(page.locator(".panel-head .span").first).to_have_text("totals so far")
    expect(page.get_by_role("rowheader", name=re.compile("^Human opens"))).to_have_count(1)
    expect(cell(page, "Human opens", 1)).to_contain_text("points")


def test_a_campaign_that_has_just_begun_is_compared_after_its_first_minute(stage, look):
    entry(stage, NEWS)["first_event_at"] = ago(5)
    page = look(f"#/compare/{WINTER}/{NEWS}")

    expect(lead(page)).to_contain_text("Emails of these campaigns are still being sent.")
    expect(page.locator(".difference")).to_have_count(0)
    expect(cell(page, "Human opens so far", 0)).to_have_text(re.compile(r"31\.0% 3,600$"))


def test_the_curves_have_a_line_per_campaign_and_a_table(look):
    page = look(OLD)
    lines = page.locator(".plot .curve")
    expect(lines).to_have_count(3)
    before = [one.get_attribute("d") for one in lines.all()]
    dashes = {one.get_attribute("stroke-dasharray") for one in lines.all()}
    assert len(dashes) == 3
    expect(page.locator("ul.legend li")).to_have_text([WINTER, NEWS, WELCOME])

    page.get_by_text("Show as table").click()
    rows = page.get_by_role("group", name="Curves as a table").locator("tbody tr")
    expect(rows).to_have_count(39)
    expect(rows.last.locator("td").last).to_have_text("44.0%")
    page.locator(".plot.tall").hover()
    expect(page.get_by_text(re.compile("share of delivered emails after"))).to_be_visible()

    page.get_by_label("Human clicks").check(force=True)
    expect(rows.last.locator("td").last).to_have_text("8.0%")
    assert [one.get_attribute("d") for one in lines.all()] != before


def test_a_comparison_is_refreshed_while_a_campaign_is_younger_than_a_week(stage, look):
    page = look("nowhere")
    page.clock.install()
    page.goto("about:blank")
    page.goto(f"{stage.url}#/compare/{WINTER}/{SPRING}")
    expect(cell(page, "Delivered", 1)).to_contain_text("12,204")
    page.clock.run_for(25_000)
    assert len(requests(stage)) == 1

    count(stage, SPRING, deliveries=12_300)
    page.clock.run_for(6_000)
    expect(cell(page, "Delivered", 1)).to_contain_text("12,300")
    assert len(requests(stage)) == 2


def test_a_comparison_of_old_campaigns_is_requested_once(stage, look):
    entry(stage, NEWS)["first_event_at"] = ago(8 * 86_400)
    page = look("nowhere")
    page.clock.install()
    page.goto("about:blank")
    page.goto(stage.url + OLD)
    expect(page.locator(".compared")).to_be_visible()
    page.clock.run_for(65_000)

    assert len(requests(stage)) == 1


def test_a_campaign_without_events_is_named(look):
    page = look(f"#/compare/{WINTER}/nowhere")

    expect(page.get_by_role("alert")).to_have_text(
        re.compile(r"^No events of .nowhere.\. The name")
    )
    expect(lead(page)).to_contain_text("Nothing to compare yet")
    expect(cell(page, "Human opens", 1)).to_contain_text("\N{EN DASH}")


def test_of_more_than_six_campaigns_the_first_six_are_compared(stage, look):
    page = look(f"{SIX}/one-more/and-another")

    expect(page.get_by_text("Left out: one-more, and-another.")).to_be_visible()
    expect(page.locator(".compared thead a")).to_have_count(6)
    assert len(requests(stage)[0]["ids"]) == 6


@pytest.mark.parametrize(
    ("code", "message", "shown"),
    [
        ("forbidden", "no access to 'stats/email-campaign/hidden'", "You do not have access"),
        ("too_large", "the names of these campaigns are too long: compare fewer", "compare fewer"),
    ],
)
def test_a_comparison_that_the_server_refuses_says_why(stage, look, code, message, shown):
    stage.scene.comparison_refusal = {"code": code, "message": message}
    page = look(OLD)

    expect(page.get_by_role("alert")).to_contain_text(message)
    expect(page.get_by_role("alert")).to_contain_text(shown)
    page.wait_for_timeout(4000)
    assert len(requests(stage)) == 1
    expect(page.get_by_role("button", name="Choose campaigns")).to_be_visible()


def test_a_comparison_is_loaded_after_a_transient_error(stage, look):
    stage.scene.comparison_refusal = {
        "code": "internal",
        "message": "the request failed: try again",
    }
    page = look(OLD)
    expect(page.get_by_text("Retrying automatically.")).to_be_visible()
    stage.scene.comparison_refusal = None

    expect(page.locator(".compared")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_share_link_offers_no_comparison(browser):
    issuer = Authenticator(
        "https://issuer", "page", "https://issuer/a", "https://issuer/t", "o", ""
    )
    with staged(figures.lively(), issuer) as stage:
        page = browser.new_page()
        # The token's payload is {"campaign": "spring-sale"}.
        page.goto(f"{stage.url}#/share/e30.eyJjYW1wYWlnbiI6InNwcmluZy1zYWxlIn0.e30")
        expect(page.get_by_role("heading", level=1)).to_have_text(SPRING)
        expect(page.get_by_text("Compare", exact=True)).to_be_hidden()
        page.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE, NARROW])
def test_axe_finds_no_violation_in_a_comparison_of_six(look, size):
    page = look(SIX)
    page.get_by_role("button", name="Choose campaigns").click()
    page.get_by_text("Show as table").click()
    expect(page.get_by_role("checkbox").first).to_be_visible()
    page.set_viewport_size(size)
    page.evaluate("scrollTo(0, 0)")  # the header covers what is below it
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme


def test_a_comparison_of_six_fits_windows_from_320_pixels(look):
    page = look(SIX)
    page.get_by_role("button", name="Choose campaigns").click()
    page.get_by_text("Show as table").click()
    for direction in ("ltr", "rtl"):
        page.evaluate("direction => { document.documentElement.dir = direction }", direction)
        for width in (320, 600, 801, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            adapt(page)
            assert overflow(page) == 0, (direction, width)


def test_on_a_phone_each_rate_lists_the_campaigns(look):
    page = look(OLD)
    page.set_viewport_size(PHONE)

    value = cell(page, "Human opens", 1)
    expect(value).to_contain_text(NEWS)
    assert value.bounding_box()["width"] > 250


def test_a_comparison_loads_without_layout_shifts(browser, stage):
    stage.scene.delay_seconds = 0.2
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    record_shifts(page)
    for address in (OLD, "#/compare"):
        page.goto("about:blank")
        page.goto(stage.url + address)
        expect(page.locator(".compared, .choices b").first).to_be_visible()
        page.wait_for_timeout(1500)
        assert shifts(page) == [], address
    context.close()
