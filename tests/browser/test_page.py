"""The page of a running dashboard, as a marketer sees it during a campaign."""

import re
from functools import partial

import pytest
from playwright.sync_api import expect
from support import ses

from chalicelib.stats.table import StatsTable
from dashboard.aws_session import Service
from dashboard.local import install

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
LONG_NAME = "launch-2026-11-" + "a-very-long-campaign-name-" * 5


def sent(campaign, number, *, first=0):
    """Build the sends and deliveries of this many messages."""
    messages = [f"{campaign}-{index}" for index in range(first, first + number)]
    sends = [ses.a_send(message, campaign=campaign) for message in messages]
    return sends + [ses.a_delivery(message, campaign=campaign) for message in messages]


def test_tiles_update_without_a_reload(dashboard, viewer):
    viewer.open_campaign("tiles")
    viewer.sees(sends=0, deliveries=0)

    dashboard.publish(*sent("tiles", 4))
    viewer.sees(sends=4, deliveries=4)
    expect(viewer.page.locator(".tile.delivery .big")).to_contain_text("100.0%")

    dashboard.publish(
        ses.an_open("tiles-0", campaign="tiles"),
        ses.an_open("tiles-1", campaign="tiles", agent=ses.APPLE_MAIL_PRIVACY),
        ses.a_click("tiles-0", campaign="tiles"),
        ses.a_bounce("tiles-9", campaign="tiles"),
        ses.a_complaint("tiles-2", campaign="tiles"),
        ses.a_subscription("tiles-3", campaign="tiles"),
    )
    viewer.sees(
        opens=2, unique_opens=2, human_opens=1, readers=1, machine_opens=1,
        clicks=1, unique_clicks=1, human_clicks=1, machine_clicks=0,
        hard_bounces=1, soft_bounces=0, complaints=1, unsubscribes=1,
    )  # fmt: skip
    expect(viewer.page.locator(".tile.read .big")).to_contain_text("25.0%")
    assert viewer.has_not_reloaded()


def test_tiles_update_again_after_a_network_outage(dashboard, viewer):
    viewer.open_campaign("network")
    dashboard.publish(*sent("network", 1))
    viewer.sees(sends=1)

    viewer.context.set_offline(True)
    viewer.wait_until("offline")
    dashboard.publish(*sent("network", 2, first=1))
    dashboard.wait_until_ingested()
    viewer.sees(sends=1)
    expect(viewer.page.locator(".since")).to_contain_text("as of")
    viewer.context.set_offline(False)

    viewer.wait_until("live")
    viewer.sees(sends=3, deliveries=3)
    dashboard.publish(*sent("network", 2, first=3))
    viewer.sees(sends=5, deliveries=5)
    assert viewer.has_not_reloaded()
    # The browser logs each attempt without a network, and nothing else.
    attempts = [text for text in viewer.complaints if "ERR_INTERNET_DISCONNECTED" in text]
    assert viewer.complaints == attempts
    viewer.complaints.clear()


def test_tiles_update_again_after_the_server_closes_the_websocket(dashboard, viewer):
    sockets = []
    viewer.page.route_web_socket(
        re.compile("execute-api"), lambda route: sockets.append((route, route.connect_to_server()))
    )
    viewer.open_campaign("closed")
    dashboard.publish(*sent("closed", 1))
    viewer.sees(sends=1)

    for times_closed in range(1, 4):
        route, _ = sockets[-1]
        route.close(code=1001, reason="going away")
        expect(viewer.page.locator(".status")).not_to_have_attribute("data-state", "live")
        dashboard.publish(*sent("closed", 1, first=times_closed))
        viewer.wait_until("live")
        viewer.sees(sends=times_closed + 1)
        assert len(sockets) == times_closed + 1

    assert viewer.has_not_reloaded()


def test_the_list_shows_a_new_campaign_first_and_links_to_it(dashboard, viewer):
    viewer.open()
    dashboard.publish(
        ses.a_send("l-1", campaign="listed-old", at="2026-11-20T10:00:00.000Z"),
        ses.a_send("l-2", campaign="listed-new", at="2026-11-24T10:00:00.000Z", subject="News!"),
    )

    row = viewer.page.locator("[data-campaign=listed-new]")
    viewer.sees(within=row, sends=1, deliveries=0)
    expect(row).to_contain_text("News!")
    expect(viewer.page.locator("[data-campaign=listed-old]")).to_be_visible()
    names = viewer.page.locator("[data-campaign]").evaluate_all(
        "rows => rows.map((row) => row.dataset.campaign)"
    )
    assert names.index("listed-new") < names.index("listed-old")

    dashboard.publish(ses.a_delivery("l-2", campaign="listed-new"))
    viewer.sees(within=row, deliveries=1)

    viewer.page.get_by_role("link", name="listed-new").click()
    expect(viewer.page.get_by_role("heading", level=1)).to_have_text("listed-new")
    expect(viewer.page.get_by_role("heading", level=1)).to_be_focused()
    viewer.sees(sends=1, deliveries=1)
    viewer.page.go_back()
    expect(row).to_be_visible()
    assert viewer.has_not_reloaded()


def test_a_campaign_without_events_waits_for_the_first_one(dashboard, viewer):
    viewer.open_campaign("not%20sent%20yet")
    expect(viewer.page.get_by_text("No such campaign yet")).to_be_visible()
    viewer.sees(sends=0, opens=0)
    expect(viewer.page.locator(".tile.delivery .big")).to_have_text("\N{EN DASH}")

    dashboard.publish(ses.a_send("n-1", campaign="not sent yet"))

    viewer.sees(sends=1)
    expect(viewer.page.get_by_text("No such campaign yet")).to_be_hidden()


def test_links_are_ranked_by_human_clickers(dashboard, viewer):
    viewer.open_campaign("linked")
    viewer.scroll_down()
    dashboard.publish(
        *sent("linked", 3),
        ses.a_click("linked-0", campaign="linked", link="https://example.com/garden?utm_id=1"),
        ses.a_click("linked-1", campaign="linked", link="https://example.com/sale"),
        ses.a_click("linked-2", campaign="linked", link="https://example.com/sale"),
    )

    rows = viewer.page.locator(".links tbody tr")
    expect(rows.nth(0)).to_contain_text("example.com/sale")
    expect(rows.nth(0).get_by_role("gridcell").first).to_have_text("266.7%")
    expect(rows.nth(1)).to_contain_text("example.com/garden")
    expect(rows).to_have_count(2)


def test_the_timeline_has_minutes_hours_and_days(dashboard, viewer):
    viewer.open_campaign("timeline")
    dashboard.publish(
        ses.a_send("t-1", campaign="timeline", at="2026-11-23T10:00:00.000Z"),
        ses.a_send("t-2", campaign="timeline", at="2026-11-23T10:01:00.000Z"),
        ses.a_send("t-3", campaign="timeline", at="2026-11-23T11:30:00.000Z"),
    )
    viewer.sees(sends=3)
    expect(viewer.page.locator(".plot svg")).to_have_count(2)
    viewer.page.get_by_text("Show as table").click()

    rows = viewer.page.locator("details tbody tr")
    for width, starts in (("Hours", 2), ("Days", 1)):
        viewer.page.get_by_text(width, exact=True).click()
        expect(viewer.page.get_by_label(width, exact=True)).to_be_checked()
        expect(rows).to_have_count(starts)


def test_the_timeline_by_age_shows_the_line_and_says_what_is_missing(dashboard, viewer):
    dashboard.publish(
        ses.a_delivery("age-1", campaign="ages"), ses.an_open("age-1", campaign="ages")
    )
    viewer.open("#/campaign/ages?age=human_opens")

    said = viewer.page.locator(".by-age .said")
    expect(said).to_have_text(
        re.compile("Not enough history yet: 0 of 5|No comparison with earlier campaigns yet")
    )
    expect(viewer.page.locator("path.course")).to_be_attached()


def test_a_high_bounce_rate_of_few_emails_is_not_an_alarm(dashboard, viewer):
    viewer.open_campaign("bounced")
    dashboard.publish(*sent("bounced", 10), ses.a_bounce("bounced-9", campaign="bounced"))

    expect(viewer.page.locator(".watch .remark")).to_have_text("1 of 10, too few to judge")
    expect(viewer.page.get_by_text("Some emails bounced after")).to_be_visible()


def test_a_broken_pipeline_looks_different_from_a_healthy_one(dashboard, viewer):
    watch = partial(install.check_health, dashboard.aws("lambda"))
    viewer.open()
    watch()
    link = viewer.page.locator(".health")
    expect(link).to_have_attribute("data-level", "ok")

    dashboard.publish("this is not an event")
    dashboard.wait_until_ingested()
    watch()
    expect(link).to_have_attribute("data-level", "note")
    link.click()
    expect(viewer.page.get_by_role("heading", level=1)).to_have_text("Pipeline status")
    expect(viewer.page.locator("[data-health=dead_letters]")).to_have_text("1")
    expect(viewer.page.get_by_text("Messages in the dead-letter queue: 1")).to_be_visible()

    stats_table = StatsTable(Service("dynamodb", dashboard.aws), dashboard.output("StatsTable"))
    stats_table.pipeline.pause("2026-11-25T10:00:00.000Z")
    expect(link).to_have_attribute("data-level", "late")
    expect(
        viewer.page.get_by_text("New events wait in the queue; no events are lost.")
    ).to_be_visible()
    stats_table.pipeline.resume("2026-11-25T10:00:00.000Z")
    expect(link).to_have_attribute("data-level", "note")
    assert viewer.has_not_reloaded()


def test_deliveries_without_opens_show_a_hint_about_open_tracking(dashboard, viewer):
    viewer.open_campaign("blind")
    dashboard.publish(*sent("blind", 100))
    viewer.sees(deliveries=100)
    install.check_health(dashboard.aws("lambda"))

    expect(viewer.page.get_by_text("tracking is probably disabled")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_page_scrolls_only_vertically(dashboard, new_viewer, scheme):
    viewer = new_viewer(**PHONE, color_scheme=scheme)
    dashboard.publish(
        *sent(LONG_NAME, 2),
        ses.a_click(f"{LONG_NAME}-0", campaign=LONG_NAME, link="https://example.com/" + "x" * 300),
    )

    viewer.open_campaign(LONG_NAME)
    viewer.sees(clicks=1)
    expect(viewer.page.locator(".plot svg")).to_have_count(2)
    assert viewer.overflow() == 0

    viewer.open()
    expect(viewer.page.locator(f"[data-campaign={LONG_NAME}]")).to_be_visible()
    assert viewer.overflow() == 0


def test_an_unknown_path_shows_an_error(viewer):
    viewer.open("#/nowhere")

    expect(viewer.page.get_by_role("heading", level=1)).to_have_text("Page not found")
    viewer.page.get_by_role("link", name="See all campaigns").click()
    expect(viewer.page.get_by_role("heading", level=1)).to_have_text("Campaigns")


def test_the_content_security_policy_forbids_inline_scripts(viewer):
    viewer.open()

    viewer.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'),"
        " { textContent: 'window.injected = true' }))"
    )

    assert viewer.page.evaluate("window.injected") is None
    assert [text for text in viewer.complaints if "Content Security Policy" in text]
    viewer.complaints.clear()


def test_campaigns_that_the_server_compares_are_shown_side_by_side(dashboard, viewer):
    dashboard.publish(*sent("compared-a", 5), *sent("compared-b", 4))
    dashboard.publish(*(ses.an_open(f"compared-a-{one}", campaign="compared-a") for one in (0, 1)))

    viewer.open("#/compare/compared-a/compared-b")

    opens = viewer.page.get_by_role("row", name=re.compile("^Human opens")).get_by_role("cell")
    expect(opens.nth(0)).to_contain_text("40.0%", timeout=60_000)
    expect(opens.nth(1)).to_contain_text("0.0%")
    expect(opens.nth(1)).to_contain_text("no clear difference")
