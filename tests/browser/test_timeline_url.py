"""What a campaign's timeline shows is kept in the URL: interval, zoom and hidden series."""

import re

import figures
import pytest
from playwright.sync_api import expect
from support.scenes import SPRING
from support.stage import staged
from views import CAMPAIGN

from dashboard.deploy.publish_site import Authenticator

# The token's payload is {"campaign": "spring-sale"}.
SHARE = "#/share/e30.eyJjYW1wYWlnbiI6InNwcmluZy1zYWxlIn0.e30"


def series(page, name):
    return page.locator(".legend").get_by_role("button", name=name)


def everything(page):
    """Return the button that ends a zoom."""
    return page.get_by_role("button", name="Show all")


def choose(page):
    """Choose minutes, zoom in to the later half, and hide a series."""
    page.get_by_text("Minutes", exact=True).click()
    page.get_by_role("button", name="Zoom in").click()
    series(page, "Delivered").click()


CHOSEN = r"\?grain=minute&from=[-\d]+T\d\d:\d\dZ&to=[-\d]+T\d\d:\d\dZ&hide=deliveries$"


def is_chosen(page):
    """Wait until the timeline is as `choose` leaves it."""
    expect(page).to_have_url(re.compile(CHOSEN))
    expect(page.get_by_role("radio", name="Minutes")).to_be_checked()
    expect(everything(page)).to_be_enabled()
    expect(series(page, "Delivered")).to_have_attribute("aria-pressed", "false")
    expect(series(page, "Sent")).to_have_attribute("aria-pressed", "true")


def ticks(page):
    """Return the labels of the first chart's axes."""
    return page.locator(".plot").first.locator("text")


def test_a_reload_back_and_a_sent_link_show_the_same_timeline(look):
    page = look("campaign")
    expect(ticks(page)).not_to_have_count(0)
    all_ticks = ticks(page).all_text_contents()
    choose(page)
    is_chosen(page)
    expect(ticks(page)).not_to_have_text(all_ticks)
    zoomed = ticks(page).all_text_contents()

    page.reload()
    is_chosen(page)
    expect(ticks(page)).to_have_text(zoomed)
    page.get_by_role("link", name="All campaigns").click()
    expect(page.get_by_role("heading", name="Campaigns", exact=True)).to_be_visible()
    page.go_back()
    is_chosen(page)
    expect(ticks(page)).to_have_text(zoomed)
    other = look("#" + page.url.split("#")[1])
    is_chosen(other)
    expect(ticks(other)).to_have_text(zoomed)


def test_the_subtitle_names_the_period_that_is_shown(look):
    page = look(f"{CAMPAIGN}?grain=hour&from=2026-11-23T10:00Z&to=2026-11-23T16:00Z")
    subtitle = page.locator("#timeline ~ .span")
    # The page's times are those of Zurich.
    expect(subtitle).to_have_text(re.compile("^23 Nov 2026, 11:00\\s?\N{EN DASH}\\s?16:59$"))

    page.get_by_label("times in").select_option("UTC")
    expect(subtitle).to_have_text(re.compile("^23 Nov 2026, 10:00\\s?\N{EN DASH}\\s?15:59$"))
    everything(page).click()
    expect(subtitle).to_have_text("last 3 days of activity")


def test_the_default_timeline_has_a_url_without_parameters_again(look):
    page = look("campaign")
    choose(page)
    series(page, "Delivered").click()
    everything(page).click()
    expect(page).to_have_url(re.compile(rf"{CAMPAIGN}\?grain=minute$"))
    expect(everything(page)).to_be_disabled()


def test_two_series_hidden_within_one_frame_are_both_hidden(look):
    page = look("campaign")
    expect(page.locator(".plot svg")).to_have_count(2)
    page.evaluate(
        "[...document.querySelectorAll('.legend button')].slice(0, 2).forEach(one => one.click())"
    )
    expect(page).to_have_url(re.compile(r"\?hide=sends,deliveries$"))
    expect(series(page, "Sent")).to_have_attribute("aria-pressed", "false")
    expect(series(page, "Delivered")).to_have_attribute("aria-pressed", "false")


def test_the_chart_by_age_keeps_the_view_by_clock_time(look):
    page = look("campaign")
    choose(page)
    page.get_by_text("Age", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?age=human_opens&grain=minute&"))
    page.get_by_text("Clock time").click()
    is_chosen(page)


def test_a_new_choice_takes_no_step_of_back(look):
    page = look()
    page.get_by_role("link", name=SPRING).first.click()
    choose(page)
    is_chosen(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Campaigns", exact=True)).to_be_visible()


def test_an_interval_ends_a_zoom(look):
    page = look("campaign")
    choose(page)
    page.get_by_text("Hours", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?grain=hour&hide=deliveries$"))
    expect(everything(page)).to_be_disabled()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("grain=week", "the interval is minute, hour or day."),
        ("from=yesterday&to=2026-11-23T10:00Z", "not a time in UTC"),
        ("from=2026-11-23T10:00Z", "a later end"),
        ("hide=opens,secrets", "not numbers of the timeline"),
        ("colour=red", "the timeline has no such setting."),
    ],
)
def test_an_invalid_part_of_a_link_is_named_and_ignored(look, query, said):
    page = look(f"{CAMPAIGN}?{query}")
    notice = page.get_by_role("alert").filter(has_text="Some of this link could not be used")
    expect(notice).to_contain_text(said)
    expect(page.get_by_role("radio", name="Minutes")).to_be_checked()
    expect(everything(page)).to_be_disabled()
    expect(page.locator(".legend [aria-pressed=false]")).to_have_count(0)

    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_have_count(0)
    expect(page).to_have_url(re.compile(rf"{CAMPAIGN}$"))


def test_a_zoom_without_events_can_be_ended(look):
    page = look(f"{CAMPAIGN}?from=2020-01-01T10:00Z&to=2020-01-01T12:00Z")
    expect(page.locator(".plot svg")).to_have_count(2)
    everything(page).click()
    expect(page).to_have_url(re.compile(rf"{CAMPAIGN}$"))


def test_a_share_link_keeps_its_token_and_the_view(browser):
    issuer = Authenticator(
        "https://issuer", "page", "https://issuer/a", "https://issuer/t", "o", ""
    )
    with staged(figures.lively(), issuer) as stage:
        page = browser.new_page(timezone_id="Europe/Zurich")
        page.goto(f"{stage.url}{SHARE}")
        choose(page)
        expect(page).to_have_url(re.compile(re.escape(SHARE) + CHOSEN))
        page.reload()
        is_chosen(page)
        expect(page.get_by_role("heading", level=1)).to_have_text(SPRING)

        page.goto("about:blank")
        page.goto(f"{stage.url}{SHARE}?age=human_opens")
        expect(page.locator(".plot svg")).to_have_count(2)
        page.close()
