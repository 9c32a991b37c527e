"""The dialog in which a campaign is shared by link."""

import os
import re
from itertools import product

import pytest
from playwright.sync_api import expect
from support.scenes import PREFIX, SPRING
from views import CAMPAIGN, DESKTOP, PHONE, overflow, violations

TOPIC = PREFIX + SPRING
LINKS = [
    {
        "share": "soon",
        "created_at": "2026-11-23T10:30:00Z",
        "expires_at": "2036-11-30T10:30:00Z",
        "created_by": None,
    },
    {
        "share": "late",
        "created_at": "2026-11-20T10:30:00Z",
        "expires_at": "2036-12-20T10:30:00Z",
        "created_by": "a-person-with-a-very-long-name@department.example.com",
    },
]
NAME = '<b>"Client"</b> {time} $& \u05d0\u202e'
NAMED = {**LINKS[0], "share": "named", "name": NAME}
LONGEST = {**LINKS[1], "share": "longest", "name": "W" * 80}


@pytest.fixture(autouse=True)
def _permission(stage):
    stage.scene.snapshots[TOPIC]["may_share"] = True


def opened(page):
    """Open the dialog, and return it."""
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog", name="Share this campaign")
    expect(dialog.get_by_role("button", name="Create link")).to_be_enabled()
    return dialog


def requests(stage, action):
    return [one for one in stage.requests if one["action"] == action]


def test_a_link_is_created_and_copied_by_keyboard(stage, look):
    page = look("campaign")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Share").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Share this campaign")
    expect(dialog.get_by_text("This campaign has no active links.")).to_be_visible()

    dialog.get_by_label("Valid for").select_option("90 days")
    dialog.get_by_role("button", name="Create link").press("Enter")
    expect(dialog.get_by_role("button", name="Copy link")).to_be_focused()
    expect(dialog.get_by_role("status")).to_contain_text("Copy it before you close")
    page.keyboard.press("Enter")

    expect(dialog.get_by_role("status")).to_have_text("The link was copied.")
    url = f"{stage.url}#/share/token.of.s-0"
    assert page.evaluate("navigator.clipboard.readText()") == url
    expect(dialog.get_by_label("Share link")).to_have_value(url)
    [request] = requests(stage, "createShare")
    assert (request["id"], request["days"]) == (TOPIC, 90)
    expect(dialog.get_by_role("listitem")).to_contain_text(["by ada@example.com"])


def test_links_are_listed_without_their_addresses(stage, look):
    stage.scene.shares = LINKS
    dialog = opened(look("campaign"))

    expect(dialog.get_by_role("listitem")).to_contain_text([re.compile("^Valid until .*2036")] * 2)
    expect(dialog.get_by_role("listitem").nth(0)).not_to_contain_text(" by ")
    expect(dialog.get_by_role("button", name="Copy link")).to_have_count(0)
    expect(dialog.get_by_text("Recipients and their addresses, live activity")).to_be_visible()


def test_a_link_is_revoked_after_a_confirmation_in_place(stage, look):
    stage.scene.shares = LINKS
    dialog = opened(look("campaign"))
    first = dialog.get_by_role("listitem").first

    first.get_by_role("button", name="Revoke the link that is valid until").click()
    expect(first.get_by_role("button", name="Keep")).to_be_focused()
    first.get_by_role("button", name="Keep").click()
    assert requests(stage, "revokeShare") == []

    first.get_by_role("button", name="Revoke the link that is valid until").click()
    first.get_by_role("button", name="Revoke link").click()
    expect(dialog.get_by_role("status")).to_have_text("The link was revoked.")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    expect(dialog.get_by_role("heading", name="Share this campaign")).to_be_focused()
    assert [one["share"] for one in requests(stage, "revokeShare")] == ["soon"]


def test_links_that_expire_at_the_same_time_differ_in_their_names(stage, look):
    stage.scene.shares = [LINKS[0], NAMED, {**NAMED, "share": "other", "name": "Press"}]
    dialog = opened(look("campaign"))
    client = dialog.get_by_role("listitem").filter(has_text=NAME)

    names = dialog.get_by_role("listitem").locator("b")
    expect(names).to_have_text([NAME, "Press"])
    revoke = dialog.get_by_role(
        "button", name=f"Revoke the link “\u2068{NAME}\u2069” that is valid"
    )
    revoke.click()
    asked = dialog.get_by_role("group", name=f"Revoke the link “\u2068{NAME}\u2069”? Everyone who")
    expect(asked).to_be_visible()
    expect(client).to_contain_text(f"Revoke the link “\u2068{NAME}\u2069”?")
    client.get_by_role("button", name="Revoke link").click()

    expect(names).to_have_text(["Press"])
    assert [one["share"] for one in requests(stage, "revokeShare")] == ["named"]


def test_a_link_is_created_with_a_name(stage, look):
    dialog = opened(look("campaign"))
    name = dialog.get_by_label("Name (optional)")

    name.fill("Client")
    name.press("Enter")
    expect(dialog.get_by_role("listitem").locator("b")).to_have_text(["Client"])
    expect(name).to_have_value("")
    dialog.get_by_role("button", name="Create link").click()
    expect(dialog.get_by_role("listitem")).to_have_count(2)

    assert [one.get("name") for one in requests(stage, "createShare")] == ["Client", None]


def test_a_refused_name_stays_to_be_corrected(stage, look):
    dialog = opened(look("campaign"))
    name = dialog.get_by_label("Name (optional)")
    stage.scene.shares_refusal = {"code": "invalid_request", "message": "remove it"}

    name.fill("Client")
    name.press("Enter")

    expect(dialog.get_by_role("alert")).to_contain_text("remove it")
    expect(name).to_have_value("Client")
    expect(name).to_be_focused()


def test_a_list_of_links_in_several_frames_is_shown_in_full(stage, look):
    stage.scene.shares = [{**NAMED, "share": f"s-{one}", "name": "漢" * 80} for one in range(140)]
    dialog = opened(look("campaign"))

    expect(dialog.get_by_role("listitem")).to_have_count(140)


def test_the_dialog_closes_with_escape_and_returns_the_focus(look):
    page = look("campaign")
    dialog = opened(page)

    page.keyboard.press("Escape")

    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Share")).to_be_focused()


def test_a_refused_link_shows_the_reason(stage, look):
    page = look("campaign")
    dialog = opened(page)
    stage.scene.shares_refusal = {"code": "rate_limited", "message": "revoke one first"}

    dialog.get_by_role("button", name="Create link").click()

    expect(dialog.get_by_role("alert")).to_contain_text("revoke one first")
    expect(dialog.get_by_role("button", name="Create link")).to_be_enabled()


def test_without_the_permission_there_is_no_button(stage, look):
    stage.scene.snapshots[TOPIC]["may_share"] = False
    page = look("campaign")

    expect(page.get_by_role("link", name="Compare")).to_be_visible()
    expect(page.get_by_role("button", name="Share")).to_have_count(0)


def test_the_dialog_is_accessible_and_fits_every_window(stage, look):
    stage.scene.shares = [*LINKS, NAMED, LONGEST]
    page = look("campaign")
    dialog = opened(page)
    dialog.get_by_label("Name (optional)").fill("Client")
    dialog.get_by_role("button", name="Create link").click()
    expect(dialog.get_by_role("listitem")).to_have_count(5)
    dialog.get_by_role("button", name="Revoke the link “\u2068WWW").click()

    for scheme, direction, size in product(
        ["light", "dark"], ["ltr", "rtl"], [DESKTOP, PHONE, {"width": 320, "height": 600}]
    ):
        page.emulate_media(color_scheme=scheme)
        page.evaluate("direction => { document.documentElement.dir = direction }", direction)
        page.set_viewport_size(size)
        assert violations(page) == [], (scheme, direction, size)
        assert overflow(page) == 0
        inner = dialog.evaluate("one => one.scrollWidth - one.clientWidth")
        assert inner == 0, (direction, size)
        if shots := os.environ.get("SHOTS"):
            page.screenshot(path=f"{shots}/share-{scheme}-{direction}-{size['width']}.png")


def test_the_button_appears_without_layout_shifts(browser, stage):
    stage.scene.delay_seconds = 0.2
    for width in (1280, 390):
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.add_init_script(
            "window.moved = []; new PerformanceObserver(list => {"
            " for (const one of list.getEntries()) for (const { node } of one.sources)"
            " if (node?.closest?.('.head')) window.moved.push(node.outerHTML);"
            "}).observe({ type: 'layout-shift', buffered: true })"
        )
        page.goto(stage.url + CAMPAIGN)
        expect(page.get_by_role("button", name="Share")).to_be_visible()
        page.wait_for_timeout(500)
        assert page.evaluate("window.moved") == [], width
        context.close()
