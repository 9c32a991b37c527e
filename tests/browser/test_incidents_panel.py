"""The incidents of a campaign on its timeline and in their list, and the settings of its alarms."""

import os
import re
from itertools import product

from playwright.sync_api import expect
from support import scenes
from support.scenes import SPRING
from views import CAMPAIGN, DESKTOP, PHONE, overflow, violations

from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX
from chalicelib.stats.incidents import KINDS


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
        "alarms": [scenes.alarms(**{"may_change": True, **settings})],
    }


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
    expect(marks.get_by_text("Microsoft is deferring your mail. Since ")).to_be_attached()
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
    expect(kinds).to_have_count(len(KINDS))
    expect(panel.get_by_label("Events are counted late")).not_to_be_checked()
    for label in ("Far fewer opens than usual", "No opens are counted"):
        panel.get_by_label(label).uncheck()
    panel.get_by_label("This is a test campaign").check()
    panel.get_by_role("button", name="Save").click()

    expect(panel.get_by_text("Saved. It takes effect within a minute.")).to_be_visible()
    [request] = requests(stage)
    assert (request["id"], request["test"]) == (TOPIC, True)
    assert set(request["kinds"]) == set(KINDS) - {"low_opens", "no_opens", "pipeline_late"}
    assert "snooze_until" not in request
    expect(panel.get_by_label("This is a test campaign")).to_be_checked()


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


def test_marks_and_settings_load_without_layout_shifts(browser, stage):
    stage.scene.snapshots[TOPIC] |= {
        "incidents": [scenes.incident(**ENDED)],
        "alarms": [scenes.alarms(may_change=True)],
    }
    stage.scene.delay_seconds = 0.2
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
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
