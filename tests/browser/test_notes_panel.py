"""The notes of a campaign on its timeline and below it."""

import re
from datetime import datetime, timedelta
from itertools import chain, product

import figures
import pytest
from playwright.sync_api import expect
from support import scenes
from support.scenes import SPRING
from support.stage import staged
from views import CAMPAIGN, DESKTOP, PHONE, overflow, violations

from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX
from dashboard.deploy.publish_site import Authenticator

TOPIC = CAMPAIGN_TOPIC_PREFIX + SPRING
REMOVED = {"note": "n-3", "version": 2, "text": None, "by": None}


def fixed():
    """Build a note of twelve minutes ago."""
    text = "<b>Link</b> fixed & sent again"
    return scenes.note(note="n-2", at=scenes.ago(12 * 60), text=text)


def with_notes(stage, *notes, may_share=True):
    stage.scene.snapshots[TOPIC] |= {"notes": list(notes), "may_share": may_share}


@pytest.fixture
def noted(stage):
    with_notes(stage, scenes.note(), fixed(), scenes.note(**REMOVED))


def panel(page):
    return page.locator("div.notes")


def opened(page):
    """Open the notes, and return their panel."""
    panel(page).locator("summary").click()
    return panel(page)


def asked(stage):
    return [one for one in stage.requests if one["action"] in ("addNote", "removeNote")]


def test_notes_are_marked_on_both_charts_and_read_once(noted, look):
    page = look("campaign")

    expect(page.locator(".marks.notes")).to_have_count(2)
    marks = page.get_by_role("list", name="Notes")
    expect(marks).to_have_count(1)
    expect(marks.get_by_role("listitem")).to_have_count(2)
    expect(marks.get_by_text(re.compile(r"^Reminder sent\. \d"))).to_be_attached()
    expect(page.locator(".marks-legend .notes")).to_have_text("Notes")


def test_a_mark_of_a_note_lies_at_its_time_and_leaves_the_chart_to_the_pointer(noted, look):
    page = look("campaign")
    page.locator(".plot").first.scroll_into_view_if_needed()
    line, handle = page.locator(".marks.notes i").first, page.locator(".plot").first
    box, plot = line.bounding_box(), handle.bounding_box()
    assert plot["x"] < box["x"] < plot["x"] + plot["width"]
    assert plot["y"] - 4 <= box["y"]
    assert box["y"] + box["height"] <= plot["y"] + plot["height"]

    page.mouse.move(box["x"], box["y"] + 20)
    expect(page.locator(".plot .pointed").first).to_be_attached()


def test_a_note_outside_the_zoom_has_no_mark(stage, look):
    with_notes(stage, scenes.note(), scenes.note(note="old", at="2020-01-01T00:00:00Z"))
    page = look("campaign")

    expect(page.get_by_role("list", name="Notes").get_by_role("listitem")).to_have_count(1)
    page.get_by_text("Days", exact=True).click()
    expect(panel(page).locator("summary")).to_contain_text("2 notes:")


def test_a_note_without_a_mark_says_that_it_is_beside_the_chart(stage, look):
    early = scenes.note(note="early", at=scenes.ago(80 * 60), text="Subject changed")
    late = scenes.note(note="late", at=scenes.ago(-5 * 60), text="Reminder planned")
    with_notes(stage, early, scenes.note(), late)
    page = look("campaign")
    rows = opened(page).get_by_role("listitem")

    expect(rows.nth(0)).not_to_contain_text("Not on the chart")
    expect(rows.nth(1)).not_to_contain_text("Not on the chart")
    expect(rows.nth(2)).to_contain_text("Not on the chart: after its end.")
    page.get_by_role("button", name="Zoom in").click()
    expect(rows.nth(0)).to_contain_text("Not on the chart: before its beginning.")
    page.get_by_text("Age", exact=True).click()
    expect(rows.filter(has_text="Not on the chart")).to_have_count(0)


def test_a_note_at_the_present_time_of_an_old_campaign_says_where_it_is(stage, look):
    with_notes(stage)
    snapshot = stage.scene.snapshots[TOPIC]
    week = timedelta(days=7)
    for part in (*chain.from_iterable(snapshot["timeline"].values()), snapshot["campaign"]):
        for name in ("at", "first_event_at", "last_event_at"):
            if name in part:
                part[name] = f"{datetime.fromisoformat(part[name]) - week:%Y-%m-%dT%H:%M:%SZ}"
    notes = opened(look("campaign"))
    notes.get_by_label("Note", exact=True).fill("Reminder sent")
    notes.get_by_role("button", name="Add note").click()

    expect(notes.get_by_role("status")).to_have_text(
        "The note was added. Not on the chart: after its end."
    )


def test_the_form_suggests_the_present_minute_however_long_the_page_is_open(stage, look):
    with_notes(stage)
    page = look("nowhere")
    page.clock.install()
    page.goto("about:blank")
    page.goto(f"{stage.url}{CAMPAIGN}")
    field = opened(page).get_by_label("Time")
    opened_at = datetime.fromisoformat(field.input_value())

    page.clock.run_for(3 * 60_000)
    expect(field).to_have_value(f"{opened_at + timedelta(minutes=3):%Y-%m-%dT%H:%M}")
    field.fill("2026-11-23T10:30")
    page.clock.run_for(2 * 60_000)
    expect(field).to_have_value("2026-11-23T10:30")


def test_notes_are_listed_with_time_text_and_author(noted, look):
    page = look("campaign")
    expect(panel(page).locator("summary")).to_have_text(
        re.compile(r"2 notes: Reminder sent · <b>Link</b> fixed & sent again")
    )

    rows = opened(page).get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Reminder sent by ada@shop.example")
    expect(rows.last.locator("bdi").first).to_have_text("<b>Link</b> fixed & sent again")


def test_a_note_is_added_at_the_present_time_and_shown_once_it_is_pushed(stage, look):
    with_notes(stage)
    page = look("campaign")
    expect(panel(page).locator("summary")).to_have_text("Add a note")
    notes = opened(page)
    notes.get_by_label("Note", exact=True).fill("Reminder sent")
    at = notes.get_by_label("Time").input_value()
    page.keyboard.press("Enter")

    expect(notes.get_by_role("status")).to_have_text("The note was added.")
    [request] = asked(stage)
    assert (request["id"], request["text"]) == (TOPIC, "Reminder sent")
    assert re.fullmatch(r"[-\d]{10}T\d\d:\d\d:00Z", request["at"])
    assert at[14:16] == request["at"][14:16]
    assert at[11:13] != request["at"][11:13], "it is typed in the time zone of the page"
    expect(notes.get_by_label("Note", exact=True)).to_have_value("")

    stage.push(TOPIC, {"$type": "CampaignStats", "notes": [scenes.note(at=request["at"])]})
    expect(notes.get_by_role("listitem")).to_have_count(1)
    expect(panel(page).locator("summary")).to_have_text(re.compile("1 note: Reminder sent"))


@pytest.mark.parametrize(("zone", "at"), [("UTC", "10:30"), ("Europe/Zurich", "09:30")])
def test_the_time_of_a_note_is_chosen_in_the_time_zone_of_the_page(stage, look, zone, at):
    with_notes(stage)
    page = look("campaign")
    page.get_by_label("times in").select_option(zone)
    notes = opened(page)
    expect(notes).to_contain_text(f"Times are in {zone}.")
    notes.get_by_label("Time").fill("2026-11-23T10:30")
    notes.get_by_label("Note", exact=True).fill("Reminder sent")
    notes.get_by_role("button", name="Add note").click()

    expect(notes.get_by_role("status")).to_contain_text("The note was added.")
    assert asked(stage)[0]["at"] == f"2026-11-23T{at}:00Z"


def test_a_year_that_is_mistyped_is_not_a_time(stage, look):
    with_notes(stage)
    page = look("campaign")
    notes = opened(page)
    notes.get_by_label("Time").evaluate("field => { field.value = '20266-11-23T10:30'; }")
    notes.get_by_label("Note", exact=True).fill("Reminder sent")
    notes.get_by_role("button", name="Add note").click()

    assert notes.get_by_label("Time").evaluate("field => field.validity.rangeOverflow")
    assert asked(stage) == []


def test_a_refused_note_stays_in_the_form_with_the_reason(stage, look):
    with_notes(stage)
    stage.scene.notes_refusal = {"code": "invalid_request", "message": "this campaign has 100"}
    notes = opened(look("campaign"))
    notes.get_by_label("Note", exact=True).fill("Reminder sent")
    notes.get_by_role("button", name="Add note").click()

    expect(notes.get_by_role("alert")).to_contain_text("this campaign has 100")
    expect(notes.get_by_label("Note", exact=True)).to_have_value("Reminder sent")


def test_a_note_is_removed_after_a_confirmation(noted, stage, look):
    page = look("campaign")
    notes = opened(page)
    notes.get_by_role("button", name="Remove the note “Reminder sent”").click()
    notes.get_by_role("button", name="Keep").click()
    assert asked(stage) == []
    notes.get_by_role("button", name="Remove the note “Reminder sent”").click()
    notes.get_by_role("button", name="Remove for all").click()

    expect(notes.get_by_role("status")).to_have_text("The note was removed.")
    assert [(one["action"], one["note"]) for one in asked(stage)] == [("removeNote", "n-1")]
    expect(panel(page).locator("summary")).to_be_focused()
    gone = scenes.note(version=2, text=None, by=None)
    stage.push(TOPIC, {"$type": "CampaignStats", "notes": [gone]})
    expect(notes.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("list", name="Notes").first.get_by_role("listitem")).to_have_count(1)

    stage.push(TOPIC, {"$type": "CampaignStats", "notes": [scenes.note()]})
    stage.push(TOPIC, {"$type": "CampaignStats", "notes": [scenes.note(note="n-4", text="Later")]})
    expect(notes.get_by_text("Later").last).to_be_visible()
    expect(notes.get_by_role("listitem")).to_have_count(2)


def test_the_keyboard_keeps_its_place_while_notes_are_added_and_removed(noted, stage, look):
    notes = opened(look("campaign"))
    field = notes.get_by_role("textbox", name="Note")
    field.fill("Second reminder")
    notes.get_by_role("button", name="Add note").press("Enter")
    expect(notes.get_by_text("The note was added.")).to_be_visible()
    expect(field).to_be_focused()

    notes.get_by_role("button", name=re.compile("^Remove")).first.press("Enter")
    keep = notes.get_by_role("button", name="Keep")
    expect(keep).to_be_focused()
    keep.press("Enter")
    expect(notes.locator("summary")).to_be_focused()


def test_without_the_permission_notes_can_only_be_read(stage, look):
    with_notes(stage, scenes.note(), may_share=False)
    notes = opened(look("campaign"))

    expect(notes.get_by_role("listitem")).to_have_count(1)
    expect(notes.get_by_role("button")).to_have_count(0)
    expect(notes.get_by_label("Time")).to_have_count(0)


def test_without_the_permission_and_without_notes_nothing_is_shown(stage, look):
    with_notes(stage, may_share=False)
    page = look("campaign")
    expect(page.locator(".plot svg")).to_have_count(2)
    expect(panel(page).locator("*")).to_have_count(0)


def test_a_share_link_has_no_part_for_notes(browser):
    issuer = Authenticator(
        "https://issuer", "page", "https://issuer/a", "https://issuer/t", "o", ""
    )
    with staged(figures.lively(), issuer) as stage:
        page = browser.new_page()
        # The token's payload is {"campaign": "spring-sale"}.
        page.goto(f"{stage.url}#/share/e30.eyJjYW1wYWlnbiI6InNwcmluZy1zYWxlIn0.e30")
        expect(page.locator(".plot svg")).to_have_count(2)
        expect(panel(page)).to_have_count(0)
        page.close()


def test_axe_finds_no_violation_in_notes(noted, look):
    page = look("campaign")
    notes = opened(page)
    notes.get_by_role("button", name="Remove the note “Reminder sent”").click()

    for scheme, size in product(["light", "dark"], [DESKTOP, PHONE]):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.evaluate("scrollTo(0, 0)")  # the header covers what is below it
        assert violations(page) == [], (scheme, size)


@pytest.mark.parametrize("width", [320, 390])
def test_long_notes_fit_narrow_windows(stage, look, width):
    with_notes(stage, scenes.note(text="x" * 280, by="y" * 100), fixed())
    page = look("campaign")
    page.set_viewport_size({"width": width, "height": 800})
    assert overflow(page) <= 0
    opened(page)
    assert overflow(page) <= 0
