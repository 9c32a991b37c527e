"""A page that was opened by a share link, when the link no longer works."""

import re

import figures
import pytest
from playwright.sync_api import expect
from support.scenes import SPRING
from support.stage import staged
from views import violations

from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX
from dashboard.deploy.publish_site import Authenticator

# The token's payload is {"campaign": "spring-sale"}.
SHARE = "#/share/e30.eyJjYW1wYWlnbiI6InNwcmluZy1zYWxlIn0.e30"
REFUSED = re.compile("This share link is no longer valid")


@pytest.fixture
def shared():
    issuer = Authenticator(
        "https://issuer", "page", "https://issuer/a", "https://issuer/t", "o", ""
    )
    with staged(figures.varied(), issuer) as stage:
        yield stage


@pytest.fixture
def page(browser):
    page = browser.new_page(locale="en-GB")
    yield page
    page.close()


def opened(page, stage):
    """Open the share link, and wait until its campaign is shown."""
    page.goto(stage.url + SHARE)
    expect(page.locator(".status")).to_have_attribute("data-state", "live")
    expect(page.locator(".plot svg")).to_have_count(2)
    expect(page.locator(".of-tag")).to_be_attached()


def connect_now(page):
    """End the wait for the next attempt to connect, as the network's return does."""
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_timeout(500)


def connect_until(page, state):
    """Try to connect, without the waits in between, until the page has a state."""
    while page.locator(f".status[data-state={state}]").count() == 0:
        connect_now(page)


def expect_no_reconnecting(page, stage):
    """Wait until the page says that the link is invalid; then it tries and offers nothing more."""
    connect_until(page, "ended")
    expect(page.get_by_role("alert")).to_have_text(REFUSED)
    expect(page.locator(".status [role=status]")).to_have_text("Disconnected")
    tried = stage.refused
    for _ in range(4):
        connect_now(page)
    assert stage.refused == tried
    expect(page.get_by_text(re.compile("Reconnecting|Retry|Loading"))).to_have_count(0)


def test_a_shared_campaign_of_an_earlier_release_does_not_ask_for_a_command(page, shared):
    campaign = shared.scene.snapshots[CAMPAIGN_TOPIC_PREFIX + SPRING]["campaign"]
    campaign["recount_needed"] = True
    opened(page, shared)

    expect(page.get_by_text("Some figures use the definitions of an earlier")).to_be_visible()
    expect(page.get_by_text("python -m dashboard")).to_have_count(0)


def test_a_page_whose_link_is_revoked_keeps_its_numbers_and_stops_connecting(page, shared):
    opened(page, shared)
    shared.refuses = True
    shared.hang_up()

    connect_until(page, "ended")
    page.locator(".of-variants").scroll_into_view_if_needed()
    expect(page.get_by_role("heading", name=re.compile("Variants"))).to_be_visible()
    expect_no_reconnecting(page, shared)
    expect(page.locator(".status .since")).to_have_text(re.compile("^as of "))
    expect(page.locator(".plot svg")).to_have_count(2)
    assert violations(page) == []


def test_a_revoked_link_that_is_opened_says_so_and_shows_no_campaign(page, shared):
    shared.refuses = True
    page.goto(shared.url + SHARE)

    expect_no_reconnecting(page, shared)
    expect(page.get_by_role("heading", level=1)).to_have_text(SPRING)
    expect(page.locator(".status .since")).to_have_text("")
    expect(page.locator(".placeholder")).to_have_count(0)


def test_a_link_survives_a_network_in_which_no_server_is_reached(page, shared):
    opened(page, shared)
    shared.refuses, shared.serves_page = True, False
    shared.hang_up()
    expect(page.get_by_role("alert")).to_have_text(
        re.compile("^Cannot connect to Mailpulse. Reconnecting")
    )
    while shared.refused < 12:
        connect_now(page)
    expect(page.locator(".status")).to_have_attribute("data-state", "stale")

    shared.refuses, shared.serves_page = False, True
    connect_until(page, "live")
    expect(page.get_by_role("alert")).to_have_count(0)
