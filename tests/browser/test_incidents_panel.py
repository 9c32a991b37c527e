"""The incidents of a campaign on its timeline and in their list, and the settings of its alarms."""

import os
import re
from itertools import product

import pytest
from playwright.sync_api import expect
from support import scenes
from support.scenes import SPRING
from views import CAMPAIGN, DESKTOP, PHONE, overflow, violations

from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX
from chalicelib.stats.incidents import ALARM_KINDS, KINDS


def minute(ago):
    """Return the start of the minute so many minutes ago, as incidents have it."""
    return f"{scenes.ago(60 * ago)[:16]}:00Z"


TOPIC = CAMPAIGN_TOPIC_PREFIX + SPRING
ENDED = {
    "incident": "bounces",
    "kind": "bounces",
    "began_at": minute(50),
    "ended_at": minute(30),
    "values": {"affected": 92, "total": 1000},
}


def with_incidents(stage, **settings):
    stage.scene.snapshots[TOPIC] |= {
        "incidents": [scenes.incident(), scenes.incident(**ENDED)],
        "alarms": [scenes.alarms(**{"may_change": True, **settings}), scenes.alarms_of_all()],
    }


HEALTH = "stats/health"


def with_settings_of_all(stage, **settings):
    stage.scene.snapshots[HEALTH] |= {"alarms": [scenes.alarms_of_all(**settings)]}


def opened(page):
    """Open the settings, and return the panel."""
    panel = page.get_by_role("region", name="Incidents and alarms")
    panel.get_by_text("Settings of alarms").click()
    return panel


def requests(stage):
    return [one for one in stage.requests if one["action"] == "setAlarms"]


def test_incidents_are_marked_on_the_axis_of_both_charts(stage, look):
    with_incidents(stage)
    page = look("campaign")

    marks = page.locator(".marks").first
    expect(marks.get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("list", name="Incidents", exact=True)).to_have_count(1)
    expect(marks.get_by_text("Microsoft is deferring your mail. Running since ")).to_be_attached()
    expect(marks.get_by_text(re.compile("^Too many hard bounces. .* to .*"))).to_be_attached()
    boxes = page.locator(".marks i").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().toJSON())"
    )
    running, ended, *repeated = boxes
    plot = page.locator(".plot svg").first.bounding_box()
    other = page.locator(".plot svg").nth(1).bounding_box()
    assert [(one["left"] - other["x"], one["width"]) for one in repeated] == [
        (one["left"] - plot["x"], one["width"]) for one in (running, ended)
    ]
    assert plot["x"] < ended["left"] < ended["right"] < running["left"] < running["right"]
    assert running["right"] <= plot["x"] + plot["width"] + 1
    assert ended["bottom"] <= plot["y"] + plot["height"]


def test_a_mark_is_where_the_chart_shows_its_minutes(stage, look):
    with_incidents(stage)
    page = look("campaign")
    ended = page.locator(".marks i").nth(1)
    expect(ended).to_be_attached()
    plot = page.locator(".plot").first
    plot.scroll_into_view_if_needed()
    left = ended.bounding_box()["x"] - plot.bounding_box()["x"]

    plot.hover(position={"x": left + 2, "y": 40})

    pointed = page.locator("#timeline ~ .span").inner_text()
    assert pointed in ended.get_attribute("title")


def test_the_list_of_incidents_and_the_settings_are_accessible(stage, look):
    with_incidents(stage, kinds=["bounces"])
    page = look("campaign")
    panel = opened(page)

    expect(panel.get_by_role("listitem")).to_have_count(2)
    expect(panel.get_by_role("listitem").first).to_contain_text("Microsoft is deferring your mail")
    for scheme, size in product(["light", "dark"], [DESKTOP, PHONE, {"width": 320, "height": 700}]):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.evaluate("scrollTo(0, 0)")  # no target is below the header
        assert violations(page) == [], (scheme, size)
        assert overflow(page) == 0
        if folder := os.environ.get("SHOTS"):
            panel.screenshot(path=f"{folder}/alarms-{scheme}-{size['width']}.png")
            page.locator("section:has(> .panel-head #timeline)").screenshot(
                path=f"{folder}/marks-{scheme}-{size['width']}.png"
            )


def test_kinds_of_incidents_and_tests_are_chosen_and_saved(stage, look):
    with_incidents(stage)
    panel = opened(look("campaign"))

    expect(panel.get_by_label("Those that are sent for all campaigns")).to_be_checked()
    panel.get_by_label("Only these").first.check()
    kinds = panel.get_by_role("group", name="Only these").get_by_role("checkbox")
    expect(kinds).to_have_count(len(ALARM_KINDS))
    expect(panel.get_by_label("Events are counted late", exact=True)).not_to_be_checked()
    for label in ("Far fewer opens than usual", "No opens are counted"):
        panel.get_by_label(label).uncheck()
    panel.get_by_label("This is a test campaign").check()
    panel.get_by_role("button", name="Save").click()

    expect(panel.get_by_text("Saved. It takes effect within a minute.")).to_be_visible()
    [request] = requests(stage)
    assert (request["id"], request["test"]) == (TOPIC, True)
    assert set(request["kinds"]) == set(ALARM_KINDS) - {"low_opens", "no_opens", "pipeline_late"}
    assert "snooze_until" not in request
    expect(panel.get_by_label("This is a test campaign")).to_be_checked()


def test_the_settings_of_a_campaign_say_what_is_set_for_all(stage, look):
    with_incidents(stage)
    panel = opened(look("campaign"))

    of_all = panel.get_by_label("Those that are sent for all campaigns: All except “Events are")
    expect(of_all).to_be_checked()
    night = "As for all campaigns: 21:30 to 06:45, Europe/Zurich, except critical alarms"
    expect(panel.get_by_label(night)).to_be_checked()
    expect(panel.get_by_role("link", name="Pipeline")).to_have_attribute("href", "#/health")


def test_quiet_hours_of_a_campaign_are_those_of_all_its_own_or_none(stage, look):
    with_incidents(stage)
    panel = opened(look("campaign"))

    panel.get_by_label("Every day between").first.check()
    panel.get_by_label("From", exact=True).fill("23:15")
    panel.get_by_label("Time zone").select_option("America/New_York")
    panel.get_by_label("Send critical alarms all the same").uncheck()
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_text("Saved. It takes effect within a minute.")).to_be_visible()
    panel.get_by_label("No quiet hours").check()
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_text("Saved. It takes effect within a minute.")).to_be_visible()

    own = {"from": "23:15", "to": "07:00", "zone": "America/New_York", "except_critical": False}
    assert [one["quiet"] for one in requests(stage)] == [own, "none"]


def test_the_alarms_of_all_campaigns_are_set_on_the_page_of_the_pipeline(stage, look):
    with_settings_of_all(stage)
    page = look("health")
    panel = page.get_by_role("region", name="Alarms of all campaigns")

    expect(panel.get_by_label("Every day between").first).to_be_checked()
    expect(panel.get_by_label("From", exact=True)).to_have_value("21:30")
    panel.get_by_label("Only these").first.check()
    panel.get_by_label("Campaign is done: its results").uncheck()
    panel.get_by_label("To", exact=True).fill("08:00")
    for scheme, size in product(["light", "dark"], [DESKTOP, PHONE, {"width": 320, "height": 700}]):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.evaluate("scrollTo(0, 0)")
        assert violations(page) == [], (scheme, size)
        assert overflow(page) == 0
        if folder := os.environ.get("SHOTS"):
            panel.screenshot(path=f"{folder}/all-{scheme}-{size['width']}.png")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_text("Saved. It takes effect within a minute.")).to_be_visible()

    [request] = requests(stage)
    assert "id" not in request
    assert "test" not in request
    assert set(request["kinds"]) == set(KINDS) - {"pipeline_late"}
    assert request["quiet"] == scenes.alarms_of_all()["quiet"] | {"to": "08:00"}
    stage.push(
        HEALTH, scenes.HEALTHY | {"version": 99, "alarms": [scenes.alarms_of_all(version=5)]}
    )
    expect(panel.get_by_label("To", exact=True)).to_have_value("06:45")


def test_without_the_permission_the_pipeline_has_no_settings_of_alarms(stage, look):
    with_settings_of_all(stage, may_change=False)
    page = look("health")

    expect(page.get_by_role("heading", name="Pipeline")).to_be_visible()
    expect(page.locator(".pipeline").first).to_be_visible()
    expect(page.get_by_role("region", name="Alarms of all campaigns")).to_have_count(0)


def test_alarms_are_snoozed_while_no_incident_is_running(stage, look):
    stage.scene.snapshots[TOPIC] |= {
        "incidents": [scenes.incident(**ENDED)],
        "alarms": [scenes.alarms(may_change=True)],
    }
    page = look("campaign")

    page.get_by_role("button", name="Snooze alarms for an hour").click()

    expect(page.get_by_role("button", name="Snooze alarms for an hour")).to_be_enabled()
    [request] = requests(stage)
    assert request["snooze_until"] > minute(0)
    assert "kinds" not in request


@pytest.mark.parametrize("name", ["Save", "Snooze alarms for an hour"])
def test_a_button_of_alarms_keeps_the_focus_while_the_server_answers(stage, look, name):
    stage.scene.snapshots[TOPIC] |= {
        "incidents": [],
        "alarms": [scenes.alarms(may_change=True), scenes.alarms_of_all()],
    }
    button = opened(look("campaign")).get_by_role("button", name=name)
    stage.scene.delay_seconds = 0.5
    button.press("Enter")
    expect(button).to_be_disabled()
    button.press("Enter")
    expect(button).to_be_enabled()

    expect(button).to_be_focused()
    assert len(requests(stage)) == 1


def test_settings_that_another_person_changes_are_shown(stage, look):
    with_incidents(stage)
    panel = opened(look("campaign"))
    expect(panel.get_by_label("Those that are sent for all campaigns")).to_be_checked()

    changed = scenes.alarms(version=2, kinds=["bounces"], test=True)
    stage.push(TOPIC, {"$type": "CampaignStats", "alarms": [changed]})

    expect(panel.get_by_label("This is a test campaign")).to_be_checked()
    expect(panel.get_by_label("Too many hard bounces")).to_be_checked()
    expect(panel.get_by_label("Too many complaints")).not_to_be_checked()


def test_a_refused_change_shows_the_reason_and_keeps_the_choice(stage, look):
    stage.scene.alarms_refusal = {"code": "forbidden", "message": "only members of ops may"}
    with_incidents(stage)
    panel = opened(look("campaign"))

    panel.get_by_label("This is a test campaign").check()
    panel.get_by_role("button", name="Save").click()

    expect(panel.get_by_role("alert")).to_contain_text("only members of ops may")
    expect(panel.get_by_label("This is a test campaign")).to_be_checked()


def test_without_the_permission_incidents_are_listed_without_settings(stage, look):
    with_incidents(stage, may_change=False)
    page = look("campaign")

    panel = page.get_by_role("region", name="Incidents and alarms")
    expect(panel.get_by_role("listitem")).to_have_count(2)
    expect(panel.get_by_text("Settings of alarms")).to_have_count(0)


@pytest.mark.parametrize("incidents", [[ENDED], [ENDED, {}]], ids=["over", "running"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 1400}, PHONE], ids=["desktop", "phone"])
def test_a_campaign_with_incidents_loads_without_layout_shifts(browser, stage, incidents, size):
    stage.scene.snapshots[TOPIC] |= {
        "incidents": [scenes.incident(**one) for one in incidents],
        "alarms": [scenes.alarms(may_change=True), scenes.alarms_of_all()],
    }
    stage.scene.delay_seconds = 0.2
    context = browser.new_context(viewport=size)
    page = context.new_page()
    page.add_init_script(
        "window.shifted = 0; new PerformanceObserver(list => {"
        " for (const one of list.getEntries()) window.shifted += one.value;"
        "}).observe({ type: 'layout-shift', buffered: true })"
    )
    page.goto(stage.url + CAMPAIGN)
    expect(page.locator(".marks")).to_have_count(2)
    page.wait_for_timeout(1500)
    assert page.evaluate("window.shifted") < 0.02
    context.close()
