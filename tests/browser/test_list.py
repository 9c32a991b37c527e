"""The list of campaigns: order, filters, totals, and its URL, with a fake server."""

import re

import figures
import pytest
from playwright.sync_api import expect
from support import scenes
from support.scenes import SPRING
from views import DESKTOP, PHONE, adapt, overflow, violations, wait_for

from chalicelib.stats.counters import rates

LIST = figures.LIST
NUMBER = 317
SORTED = "#/?sort=human_click"


@pytest.fixture
def listed(stage):
    """Set the server's data to many campaigns, and return their entries."""
    stage.scene = figures.many(NUMBER)
    return stage.scene.snapshots[LIST]["campaigns"]


@pytest.fixture
def drafts(listed):
    """Mark some campaigns as tests, one of them among the newest, and return their names."""
    tests = [listed[0], listed[-1], listed[-2]]
    for one in tests:
        one["test"] = True
    return [one["id"] for one in tests]


def shown(page) -> list[str]:
    return page.locator("[data-campaign]").evaluate_all(
        "rows => rows.map(row => row.dataset.campaign)"
    )


def ids(entries, column, *, reverse=True, of="rates") -> list[str]:
    """Return the campaigns by a column, unknown values last, as the server sorts them."""
    known = [one for one in entries if one[of][column] is not None]
    return [
        one["id"]
        for one in sorted(known, key=lambda one: (one[of][column], one["id"]), reverse=reverse)
    ]


def header(page, name):
    return page.get_by_role("columnheader").filter(
        has=page.get_by_role("button", name=name, exact=True)
    )


def sorting(page, name):
    return header(page, name).get_by_role("button")


def place(page) -> str:
    return page.evaluate("location.hash")


def changed(entry, **counts) -> dict:
    """Return a later version of an entry."""
    counts = entry["counts"] | counts
    return entry | {"version": entry["version"] + 1, "counts": counts, "rates": rates(counts)}


def of_list(stage, action="listCampaigns") -> list[dict]:
    return [one for one in stage.requests if one["action"] == action]


def test_a_column_sorts_by_highest_first_then_lowest_first_then_as_before(listed, look):
    page = look()
    expect(page.locator("[data-campaign]").first).to_have_attribute("data-campaign", SPRING)
    before = shown(page)

    sorting(page, "Human clicks").click()
    expect(header(page, "Human clicks")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("[data-campaign]").first).to_have_attribute(
        "data-campaign", ids(listed, "human_click")[0]
    )
    assert shown(page) == ids(listed, "human_click")[:50]
    expect(page.get_by_label("Sort by")).to_have_value("human_click")

    sorting(page, "Human clicks").click()
    expect(header(page, "Human clicks")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("[data-campaign]").first).to_have_attribute(
        "data-campaign", ids(listed, "human_click", reverse=False)[0]
    )

    sorting(page, "Human clicks").click()
    expect(page.locator("[aria-sort]")).to_have_count(0)
    expect(page.locator("[data-campaign]").first).to_have_attribute("data-campaign", SPRING)
    assert shown(page) == before
    assert place(page) == "#/"


@pytest.mark.parametrize(
    ("name", "column", "of"),
    [
        ("Started", "first_event_at", None),
        ("Sent", "sends", "counts"),
        ("Delivered", "delivery", "rates"),
        ("Read", "read", "rates"),
        ("Hard bounces", "bounce", "rates"),
        ("Spam complaints", "complaint", "rates"),
        ("Unsubscribes", "unsubscribe", "rates"),
    ],
)
def test_each_column_sorts(listed, look, name, column, of):
    page = look()
    entries = [one | {"times": one} for one in listed]
    sorting(page, name).click()

    first = ids(entries, column, of=of or "times")[0]
    expect(page.locator("[data-campaign]").first).to_have_attribute("data-campaign", first)
    assert f"sort={column}" in place(page)


def test_the_keyboard_sorts_and_the_focus_stays_on_the_column(listed, look):
    page = look()
    sorting(page, "Read").focus()
    page.keyboard.press("Enter")
    expect(header(page, "Read")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("[data-campaign]").first).to_have_attribute(
        "data-campaign", ids(listed, "read")[0]
    )
    expect(sorting(page, "Read")).to_be_focused()

    page.keyboard.press("Space")
    expect(header(page, "Read")).to_have_attribute("aria-sort", "ascending")
    expect(sorting(page, "Read")).to_be_focused()


def test_a_column_is_defined_on_hover_and_its_definition_covers_no_sorted_row(listed, look):
    page = look()
    definition = page.get_by_role("tooltip").filter(has_text="Unique human clicks ÷")
    sorting(page, "Human clicks").hover()
    expect(definition.last).to_be_visible()
    expect(sorting(page, "Human clicks")).to_have_accessible_description(
        re.compile("÷ emails delivered")
    )

    sorting(page, "Human clicks").click()
    expect(definition.last).to_be_hidden()


def test_campaigns_can_be_sorted_by_counts_and_by_latest_activity(listed, look):
    page = look()
    page.get_by_label("Sort by").select_option("Number of human clicks")
    expect(page.locator("[data-campaign]").first).to_have_attribute(
        "data-campaign", ids(listed, "unique_human_clicks", of="counts")[0]
    )
    expect(header(page, "Human clicks")).to_have_attribute("aria-sort", "descending")

    page.get_by_label("Sort by").select_option("Latest activity")
    page.get_by_role("button", name="Newest first").click()
    expect(page.get_by_role("button", name="Oldest first")).to_be_visible()
    oldest = min(listed, key=lambda one: one["last_event_at"])
    expect(page.locator("[data-campaign]").first).to_have_attribute("data-campaign", oldest["id"])


def test_the_totals_are_those_of_all_campaigns_not_of_those_shown(listed, look):
    page = look()

    expect(page.get_by_role("heading", name="All 317 campaigns")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Showing 50 of 317")).to_be_visible()
    sends = sum(one["counts"]["sends"] for one in listed)
    expect(page.locator("[data-total=sends]")).to_contain_text(f"{sends:,}")
    deliveries = sum(one["counts"]["deliveries"] for one in listed)
    expect(page.locator("[data-total=deliveries]")).to_contain_text(f"{deliveries:,}")
    expect(page.locator(".totals")).to_contain_text("as of")


def test_the_totals_of_a_list_that_is_loaded_completely_are_live(stage, look):
    page = look()
    entries = stage.scene.snapshots[LIST]["campaigns"]
    total = sum(one["counts"]["sends"] for one in entries)
    expect(page.get_by_role("heading", name="All 6 campaigns")).to_be_visible()
    expect(page.locator("[data-total=sends]")).to_contain_text(f"{total:,}")
    assert of_list(stage) == []

    sends = entries[0]["counts"]["sends"] + 1000
    stage.push(LIST, {"campaigns": [changed(entries[0], sends=sends)]})
    expect(page.locator("[data-total=sends]")).to_contain_text(f"{total + 1000:,}")
    expect(page.locator(".totals")).not_to_contain_text("as of")


def test_the_totals_name_numbers_that_an_earlier_release_did_not_count(stage, look):
    stage.scene = figures.of_an_earlier_release()
    page = look()

    expect(page.locator("[data-total=readers]")).to_contain_text("\N{EN DASH}")
    expect(page.get_by_text("Dashes are unknown numbers")).to_be_visible()
    expect(page.get_by_text("python -m dashboard recount --all --apply")).to_be_visible()


def test_campaigns_are_filtered_by_the_days_of_their_first_email(listed, look):
    page = look("#/?from=2020-01-01")
    expect(page.get_by_label("Started")).to_have_value("custom")
    page.get_by_label("Started").select_option("Last 30 days")
    first = scenes.ago(29 * 86_400)[:10]
    expect(page).to_have_url(re.compile(f"#/\\?from={first}$"))
    within = [one for one in listed if one["first_event_at"][:10] >= first]
    expect(
        page.get_by_role("heading", name=f"All {len(within)} campaigns that match")
    ).to_be_visible()
    expect(page.get_by_label("Started")).to_have_value("last_30")

    page.get_by_label("Started").select_option("Other dates…")
    page.get_by_label("To", exact=True).fill(scenes.ago(20 * 86_400)[:10])
    expect(page).to_have_url(re.compile(f"from={first}&to="))
    within = [one for one in within if one["first_event_at"][:10] <= scenes.ago(20 * 86_400)[:10]]
    expect(
        page.get_by_role("heading", name=f"All {len(within)} campaigns that match")
    ).to_be_visible()
    assert set(shown(page)) == {one["id"] for one in within}

    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_role("heading", name="All 317 campaigns")).to_be_visible()
    assert place(page) == "#/"


def test_campaigns_are_filtered_by_sender_with_the_totals_of_those_that_match(listed, look):
    page = look()
    page.get_by_label("Sender").fill("blue")
    page.keyboard.press("Enter")

    blue = [one for one in listed if one["sender"] == "Blue Shop"]
    expect(
        page.get_by_role("heading", name=f"All {len(blue)} campaigns that match")
    ).to_be_visible()
    expect(page.locator("[data-total=complaints]")).to_contain_text(
        str(sum(one["counts"]["complaints"] for one in blue))
    )
    assert place(page) == "#/?sender=blue"


def test_a_sender_that_is_typed_slowly_is_kept_while_numbers_change(stage, listed, look):
    page = look()
    page.get_by_label("Sender").focus()
    page.keyboard.type("bl")
    stage.push(LIST, {"campaigns": [changed(listed[0], sends=99_999)]})
    expect(page.locator("[data-campaign] [data-metric=sends]").first).to_have_text("99,999")
    page.wait_for_timeout(1500)
    page.keyboard.type("ue")
    expect(page.get_by_label("Sender")).to_have_value("blue")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sender=blue$"))

    page.go_back()
    expect(page.get_by_label("Sender")).to_have_value("")


@pytest.mark.parametrize("name", ["Sender", "Tag"])
def test_a_filter_that_is_being_typed_does_not_undo_back(listed, look, name):
    page = look("health")
    page.goto(f"{page.url.partition('#')[0]}#/")
    page.get_by_label(name).focus()
    page.keyboard.type("variant=z")
    page.go_back()

    expect(page).to_have_title(re.compile("^Pipeline"))
    page.wait_for_timeout(300)
    assert place(page) == "#/health"


def test_what_a_search_finds_is_sorted_and_has_totals(listed, look):
    page = look(SORTED)
    page.keyboard.press("/")
    page.keyboard.type("spring")
    expect(page).to_have_url(re.compile("#/\\?q=spring&sort=human_click$"))

    found = [one for one in listed if "spring" in one["id"] + one["subject"].casefold()]
    assert 1 < len(found) < 100
    expect(
        page.get_by_role("heading", name=f"All {len(found)} campaigns that match")
    ).to_be_visible()
    assert shown(page) == ids(found, "human_click")[:50]
    sends = sum(one["counts"]["sends"] for one in found)
    expect(page.locator("[data-total=sends]")).to_contain_text(f"{sends:,}")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_a_search_that_finds_more_than_a_page_is_added_up_and_loaded_on_request(stage, look):
    stage.scene = figures.many(2000)
    entries = stage.scene.snapshots[LIST]["campaigns"]
    found = [one for one in entries if "newsletter" in one["id"]]
    assert len(found) > 150
    page = look("#/?q=newsletter&rows=150&sort=sends")

    expect(
        page.get_by_role("heading", name=f"All {len(found)} campaigns that match")
    ).to_be_visible()
    expect(page.locator("[data-campaign]")).to_have_count(150)
    assert shown(page) == ids(found, "sends", of="counts")[:150]
    sends = sum(one["counts"]["sends"] for one in found)
    expect(page.locator("[data-total=sends]")).to_contain_text(f"{sends:,}")


def test_a_search_is_combined_with_the_filters_by_sender_and_tag(listed, look):
    page = look("#/?q=newsletter&sender=blue")
    blue = [one for one in listed if "newsletter" in one["id"] and one["sender"] == "Blue Shop"]
    assert len(blue) > 1
    expect(
        page.get_by_role("heading", name=f"All {len(blue)} campaigns that match")
    ).to_be_visible()
    assert set(shown(page)) == {one["id"] for one in blue}

    tagged = [one for one in blue if "variant=b" in one["tags"]]
    page.get_by_label("Tag").fill("variant=b")
    page.keyboard.press("Enter")
    expect(page.locator("[data-campaign]")).to_have_count(len(tagged))
    assert place(page) == "#/?q=newsletter&sender=blue&tag=variant%3Db"


def test_campaigns_are_filtered_by_a_tag_which_back_and_a_reload_keep(listed, look):
    page = look()
    page.get_by_label("Tag").fill("variant=b")
    page.keyboard.press("Enter")

    tagged = [one for one in listed if "variant=b" in one["tags"]]
    name = f"All {len(tagged)} campaigns that match"
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.locator("[data-total=sends]")).to_contain_text(
        f"{sum(one['counts']['sends'] for one in tagged):,}"
    )
    assert place(page) == "#/?tag=variant%3Db"
    assert set(shown(page)) <= {one["id"] for one in tagged}

    page.reload()
    expect(page.get_by_label("Tag")).to_have_value("variant=b")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.locator("[data-campaign] a").first.click()
    expect(page.get_by_role("heading", name="Campaigns", exact=True)).to_be_hidden()
    page.go_back()
    expect(page.get_by_label("Tag")).to_have_value("variant=b")
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_role("heading", name="All 317 campaigns")).to_be_visible()
    expect(page.get_by_label("Tag")).to_have_value("")


def test_the_tags_of_listed_campaigns_are_suggested_also_while_one_is_the_filter(listed, look):
    page = look()
    expect(page.locator("[data-campaign]")).to_have_count(50)
    suggested = page.locator("datalist option")
    expect(suggested).to_have_count(3)
    values = suggested.evaluate_all("all => all.map(one => one.value)")
    assert values == ["variant=a", "variant=b", "variant=c"]

    page.get_by_label("Tag").fill(values[2])  # without Enter, as when a suggestion is chosen
    expect(page).to_have_url(re.compile("tag=variant%3Dc$"))
    expect(page.get_by_role("heading", name="that match")).to_be_visible()
    expect(suggested).to_have_count(3)


def test_a_tag_that_cannot_be_used_is_explained(listed, look):
    page = look()
    page.get_by_label("Tag").fill("variant")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("tag=variant: a tag is a name and a value")
    page.get_by_role("button", name="Dismiss").click()

    page.get_by_label("Tag").fill("colour=red")
    page.keyboard.press("Enter")
    expect(page.get_by_text("no campaign has the tag 'colour'")).to_be_visible()
    expect(page.locator("[data-campaign]")).to_have_count(50)


def test_back_and_forward_restore_each_view_of_the_list(listed, look):
    page = look()
    sorting(page, "Read").click()
    expect(header(page, "Read")).to_have_attribute("aria-sort", "descending")
    page.get_by_label("Sender").fill("green")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="that match")).to_be_visible()
    page.locator("[data-campaign] a").first.click()
    expect(page.get_by_role("heading", name="Campaigns", exact=True)).to_be_hidden()

    page.go_back()
    expect(page.get_by_label("Sender")).to_have_value("green")
    expect(header(page, "Read")).to_have_attribute("aria-sort", "descending")
    expect(page.get_by_role("heading", name="that match")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Sender")).to_have_value("")
    expect(page.get_by_role("heading", name="All 317 campaigns")).to_be_visible()
    assert shown(page) == ids(listed, "read")[:50]
    page.go_back()
    expect(page.locator("[aria-sort]")).to_have_count(0)
    expect(page.locator("[data-campaign]").first).to_have_attribute("data-campaign", SPRING)
    page.go_forward()
    expect(header(page, "Read")).to_have_attribute("aria-sort", "descending")


def test_back_leads_to_the_list_before_a_search_not_to_parts_of_its_words(listed, look):
    page = look()
    expect(page.locator("[data-campaign]")).to_have_count(50)
    page.get_by_role("searchbox").focus()
    for part in ("gar", "den", " ", "tips"):
        page.keyboard.type(part)
        page.wait_for_timeout(400)
    expect(page).to_have_url(re.compile("q=garden\\+tips$"))

    page.go_back()
    expect(page).to_have_url(re.compile("#/$"))
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.get_by_role("heading", name="All 317 campaigns")).to_be_visible()


def test_a_reload_restores_the_order_the_filters_and_the_number_of_rows(listed, look):
    page = look()
    page.get_by_label("Sort by").select_option("Read rate")
    page.get_by_label("Started").select_option("Last 365 days")
    expect(page.get_by_role("heading", name="that match")).to_be_visible()
    page.get_by_role("button", name=re.compile("Show more")).click()
    expect(page.locator("[data-campaign]")).to_have_count(100)
    page.get_by_role("button", name=re.compile("Show more")).click()
    expect(page.locator("[data-campaign]")).to_have_count(150)
    before = shown(page)

    page.reload()
    expect(page.locator("[data-campaign]")).to_have_count(150)
    assert shown(page) == before
    expect(page.get_by_label("Started")).to_have_value("last_365")


def test_a_sent_link_shows_the_same_view(listed, look):
    page = look("#/?q=newsletter&sort=sends&order=asc&from=2025-01-01&rows=100")

    expect(page.get_by_role("searchbox")).to_have_value("newsletter")
    expect(header(page, "Sent")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_label("From", exact=True)).to_have_value("2025-01-01")
    found = [one for one in listed if "newsletter" in one["id"]]
    expect(page.locator("[data-campaign]")).to_have_count(min(100, len(found)))
    assert shown(page) == ids(found, "sends", of="counts", reverse=False)[:100]


def test_the_live_list_shows_as_many_older_campaigns_as_its_url_says(listed, look):
    page = look("#/?rows=250")

    expect(page.locator("[data-campaign]")).to_have_count(250)
    assert len(set(shown(page))) == 250
    page.get_by_role("button", name="Show more (67 left)").click()
    expect(page.locator("[data-campaign]")).to_have_count(300)
    page.get_by_role("button", name="Show more (17 left)").click()
    expect(page.locator("[data-campaign]")).to_have_count(317)
    expect(page.get_by_role("button", name=re.compile("Show more"))).to_have_count(0)


def test_rows_of_a_sorted_list_are_live_and_keep_their_places(stage, listed, look):
    page = look(SORTED)
    order = ids(listed, "human_click")[:50]
    expect(page.locator("[data-campaign]")).to_have_count(50)
    stated = [one for one in of_list(stage, "subscribe") if one.get("campaigns")]
    assert stated[-1]["campaigns"] == order

    last = next(one for one in listed if one["id"] == order[-1])
    row = page.locator(f"[data-campaign={last['id']}]")
    clicks = last["counts"]["deliveries"]
    stage.push(LIST, {"campaigns": [changed(last, unique_human_clicks=clicks)]})
    expect(row.locator("[data-metric=unique_human_clicks]")).to_have_text(f"{clicks:,}")
    expect(row.locator(".unique_human_clicks .rate")).to_have_text("100.0%")
    assert shown(page) == order

    last.update(changed(last, unique_human_clicks=clicks))
    page.get_by_role("button", name="Sort again").click()
    expect(page.locator("[data-campaign]").first).to_have_attribute("data-campaign", last["id"])
    expect(page.get_by_text("The numbers are live; the order is as of")).to_be_visible()


def test_the_rows_that_scrolling_brings_onto_the_screen_become_live(stage, listed, look):
    page = look("#/?sort=sends&rows=317")
    expect(page.locator("[data-campaign]")).to_have_count(317)
    order = ids(listed, "sends", of="counts")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")

    def stated():
        return [one["campaigns"] for one in of_list(stage, "subscribe") if one.get("campaigns")]

    wait_for(page, lambda: stated()[-1:] == [order[-200:]])
    assert stated()[0] == order[:200]
    assert stated()[-1] == order[-200:]


def test_the_live_list_follows_all_campaigns_again_after_sorting(stage, listed, look):
    page = look(SORTED)
    expect(page.locator("[data-campaign]")).to_have_count(50)
    page.get_by_label("Sort by").select_option("Latest activity")
    expect(page.locator("[data-campaign]").first).to_have_attribute("data-campaign", SPRING)

    wait_for(page, lambda: "campaigns" not in of_list(stage, "subscribe")[-1])
    assert "campaigns" not in of_list(stage, "subscribe")[-1]


def test_values_of_a_url_that_cannot_be_used_are_named(listed, look):
    page = look("#/?sort=foo&from=2026-02-30&rows=lots&colour=red&order=asc")

    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("sort=foo: the list has no such column.")
    expect(notice).to_contain_text("from=2026-02-30: not a date")
    expect(notice).to_contain_text("rows=lots: the number of rows is 1 to 1000.")
    expect(notice).to_contain_text("colour=red: the list has no such setting.")
    expect(page.get_by_role("button", name="Oldest first")).to_be_visible()
    expect(page.locator("[data-campaign]")).to_have_count(50)

    page.get_by_role("button", name="Dismiss").click()
    expect(notice).to_have_count(0)
    assert place(page) == "#/?order=asc"


def test_an_empty_result_names_the_filters_and_offers_to_clear_them(listed, look):
    page = look("#/?sender=nobody&from=2026-11-01&to=2026-11-30&sort=sends&tag=variant%3Dx")

    expect(
        page.get_by_text(
            "No campaign matches the period from 1 Nov 2026 to 30 Nov 2026 and the sender “nobody” "
            "and the tag variant=x."
        )
    ).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("[data-campaign]")).to_have_count(50)
    assert place(page) == "#/?sort=sends"


def test_a_list_that_the_server_refuses_says_why_and_keeps_the_rows(stage, listed, look):
    page = look()
    expect(page.locator("[data-campaign]")).to_have_count(50)
    stage.scene.list_refusal = {"code": "invalid_request", "message": "not this column"}
    sorting(page, "Read").click()

    expect(page.get_by_text("The campaigns could not be loaded (not this column)")).to_be_visible()
    expect(page.get_by_text("Loading…")).to_have_count(0)
    expect(page.locator("[data-campaign]")).to_have_count(50)
    stage.scene.list_refusal = None
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-campaign]").first).to_have_attribute(
        "data-campaign", ids(listed, "read")[0]
    )
    expect(page.get_by_text("could not be loaded")).to_have_count(0)


def test_a_list_is_loaded_after_a_transient_error_and_after_a_reconnect(stage, listed, look):
    stage.scene.list_refusal = {"code": "rate_limited", "message": "too many requests"}
    page = look(SORTED)
    expect(page.get_by_text("too many requests")).to_be_visible()
    stage.scene.list_refusal = None
    expect(page.locator("[data-campaign]")).to_have_count(50)

    stage.hang_up()
    expect(page.locator(".status")).to_contain_text("reconnected after")
    sorting(page, "Sent").click()
    expect(page.locator("[data-campaign]").first).to_have_attribute(
        "data-campaign", ids(listed, "sends", of="counts")[0]
    )


def test_on_a_phone_the_rows_are_cards_and_the_filters_unfold(listed, look):
    page = look()
    page.set_viewport_size(PHONE)
    expect(page.locator(".campaigns thead")).to_have_css("position", "absolute")
    expect(page.get_by_label("Sort by")).to_be_hidden()
    page.get_by_role("button", name="Filters and order").click()
    page.get_by_label("Sort by").select_option("Read rate")

    expect(page.locator("[data-campaign]").first).to_have_attribute(
        "data-campaign", ids(listed, "read")[0]
    )
    card = page.locator("[data-campaign]").first
    expect(card.locator("[data-label=Read]")).to_be_visible()
    page.get_by_role("button", name="Filters and order").click()
    expect(page.get_by_role("button", name="Filters and order: Read rate")).to_be_visible()


def test_a_campaign_shows_how_many_times_what_is_usual_it_counts(stage, look):
    stage.scene = figures.lively()
    page = look("#/")

    def pace(name):
        return page.locator(f"[data-campaign={name}] [data-label=Pace]")

    expect(pace(SPRING).locator(".rate")).to_have_text("▲ 1.3 ×")  # noqa: RUF001 - as on the page
    expect(pace(SPRING)).to_contain_text("1.3 times usual, above the usual range")
    expect(pace("newsletter-2026-11")).to_contain_text("0.8 times usual, below the usual range")
    expect(pace("winter-clearance").locator(".rate")).to_have_text("1.0 ×")  # noqa: RUF001 - as above
    expect(pace("welcome-series-3").locator(".rate")).to_have_text("\N{EN DASH}")
    expect(pace("welcome-series-3")).to_have_attribute("title", re.compile("too early"))
    neutral, above, below = (
        pace(name).locator(".rate").evaluate("one => getComputedStyle(one).color")
        for name in ("winter-clearance", SPRING, "newsletter-2026-11")
    )
    assert len({neutral, above, below}) == 3


def test_a_press_on_the_header_of_the_pace_sorts_by_it(stage, look):
    stage.scene = figures.lively()
    page = look("#/")
    sorting(page, "Pace").click()

    expect(header(page, "Pace")).to_have_attribute("aria-sort", "descending")
    assert place(page) == "#/?sort=pace"
    expect(page.locator("[data-campaign]").first).to_have_attribute("data-campaign", SPRING)
    ranked = [SPRING, "winter-clearance", "price-change-notice", "newsletter-2026-11"]
    sorting(page, "Pace").click()
    expect(header(page, "Pace")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("[data-campaign]").first).to_have_attribute("data-campaign", ranked[-1])
    assert {*shown(page)[:4]} == {*ranked}, "unknown paces are last in both orders"


def test_a_push_of_the_pace_alone_changes_the_column(stage, look):
    stage.scene = figures.lively()
    [entry] = [one for one in stage.scene.snapshots[LIST]["campaigns"] if one["id"] == SPRING]
    page = look("#/")
    cell = page.locator(f"[data-campaign={SPRING}] [data-label=Pace] .rate")
    expect(cell).to_have_text("▲ 1.3 ×")  # noqa: RUF001 - as on the page
    clicks = {"actual": 598, "expected": 299, "low": 200, "high": 400}

    newer = entry | {"pace": {"version": 99, "human_clicks": clicks}}
    stage.push(LIST, {"$type": "CampaignList", "campaigns": [newer]})

    expect(cell).to_have_text("▲ 2.0 ×")  # noqa: RUF001 - as on the page


@pytest.mark.parametrize("width", [600, 820, 1280])
def test_from_600_pixels_the_list_is_a_table_whose_header_stays_in_sight(listed, look, width):
    page = look(SORTED)
    page.set_viewport_size({"width": width, "height": 700})
    expect(page.locator("[data-campaign]")).to_have_count(50)
    page.evaluate("scrollTo(0, 1500)")
    adapt(page)

    box = header(page, "Human clicks").bounding_box()
    bar = page.locator(".bar").bounding_box()
    assert abs(box["y"] - bar["height"]) <= 1
    assert header(page, "Human clicks").evaluate("one => getComputedStyle(one).textAlign") == "end"
    numeric = page.locator(".campaigns td.number").first
    assert "tabular-nums" in numeric.evaluate("one => getComputedStyle(one).fontVariantNumeric")


@pytest.mark.parametrize(
    "view",
    [
        SORTED,
        "#/?q=zzzz&from=2026-11-01",
        "#/?sort=foo&sender=green",
        "#/?q=spring&tag=variant%3Db",
        "#/?tests=1",
    ],
)
def test_axe_finds_no_violation_in_a_sorted_empty_or_filtered_list(listed, drafts, look, view):
    page = look(view)
    expect(page.locator(".campaigns, .panel").first).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            fold = page.get_by_role("button", name="Filters and order")
            if size == PHONE and fold.get_attribute("aria-expanded") == "false":
                fold.click()
            assert violations(page) == [], (scheme, size)


def test_a_sorted_list_fits_windows_from_320_pixels_in_both_directions(listed, look):
    page = look("#/?sort=read&from=2020-01-01&sender=e&tag=variant%3Db")
    expect(page.locator("[data-campaign]")).to_have_count(50)
    for direction in ("ltr", "rtl"):
        page.evaluate("direction => { document.documentElement.dir = direction }", direction)
        for width in (320, 360, 599, 600, 761, 901, 1081, 3840):
            page.set_viewport_size({"width": width, "height": 800})
            assert overflow(page) == 0, (direction, width)


def test_sorting_a_list_moves_nothing_above_it(listed, look):
    page = look()
    expect(page.get_by_role("heading", name="All 317 campaigns")).to_be_visible()
    top = page.locator(".campaigns").bounding_box()["y"]
    sorting(page, "Read").click()
    expect(page.get_by_text("The numbers are live; the order is as of")).to_be_visible()

    assert page.locator(".campaigns").bounding_box()["y"] == top


def test_a_printed_list_names_its_filters_and_order_and_has_no_controls(listed, look):
    page = look("#/?sort=read&sender=green")
    expect(page.locator(".campaigns")).to_be_visible()
    page.emulate_media(media="print")

    expect(page.get_by_text("Only campaigns that match the sender “green”.")).to_be_visible()
    expect(page.get_by_text("Sorted by: Read rate, Highest first.")).to_be_visible()
    expect(page.locator(".filters")).to_be_hidden()
    expect(page.get_by_text("The numbers are live")).to_be_hidden()


def opened(page):
    """Open the hours of opens, and return their table."""
    page.get_by_text("When are emails opened?").click()
    table = page.get_by_role("table", name="Human opens by weekday and hour")
    expect(table).to_be_visible()
    return table


@pytest.mark.usefixtures("listed")
def test_the_hours_of_opens_are_not_read_on_after_the_list_is_left(stage, look):
    page = look()
    stage.scene.delay_seconds = 0.3
    page.get_by_text("When are emails opened?").click()
    expect(page.get_by_text("of 200 campaigns")).to_be_visible()

    page.evaluate("location.hash = '#/health'")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pipeline status")
    page.wait_for_timeout(1000)
    before = len(stage.requests)
    page.wait_for_timeout(1500)
    assert [one["action"] for one in stage.requests[before:] if one["action"] != "attend"] == []


def test_the_hours_of_opens_are_those_of_the_newest_campaigns_that_match(stage, listed, look):
    page = look()
    asked = len(stage.requests)

    table = opened(page)

    expect(page.locator(".of-week")).to_contain_text("of the newest 200 of 317 campaigns")
    hours = [one for one in stage.requests[asked:] if one.get("resolution") == "hour"]
    newest = sorted(listed, key=lambda one: one["first_event_at"], reverse=True)
    read = [topic.rpartition("/")[2] for one in hours for topic in one["ids"]]
    assert sorted(read) == sorted(one["id"] for one in newest[:200])
    expect(table.get_by_role("row")).to_have_count(8)
    expect(page.get_by_text("Most human opens come on")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_hours_of_opens_are_accessible_and_fit_narrow_screens(listed, look, scheme):
    page = look()
    page.emulate_media(color_scheme=scheme)
    table = opened(page)
    assert violations(page) == []

    page.set_viewport_size({"width": 320, "height": 640})

    expect(table.get_by_role("row")).to_have_count(25)
    assert overflow(page) == 0
    assert violations(page) == []


def test_test_campaigns_are_hidden_with_their_number_until_they_are_shown(listed, drafts, look):
    page = look()
    expect(page.get_by_role("heading", name="All 314 campaigns")).to_be_visible()
    expect(page.get_by_text("3 test campaigns are hidden.")).to_be_visible()
    expect(page.locator(f'[data-campaign="{drafts[0]}"]')).to_have_count(0)
    expect(page.locator(".badge.test")).to_have_count(0)

    page.get_by_role("button", name="Show", exact=True).click()

    expect(page.get_by_role("heading", name="All 317 campaigns")).to_be_visible()
    expect(page.locator(f'[data-campaign="{drafts[0]}"] .badge.test')).to_have_text("test")
    expect(page.get_by_label("Test campaigns")).to_have_value("1")
    assert place(page) == "#/?tests=1"
    page.reload()
    expect(page.locator(f'[data-campaign="{drafts[0]}"] .badge.test')).to_be_visible()

    page.get_by_label("Test campaigns").select_option("Hidden")
    expect(page.locator(f'[data-campaign="{drafts[0]}"]')).to_have_count(0)
    assert place(page) == "#/"


def test_a_search_for_a_test_campaign_says_that_it_is_hidden_and_shows_it(drafts, look):
    page = look(f"#/?q={drafts[1]}")
    expect(page.get_by_text("1 test campaign is hidden.")).to_be_visible()
    expect(page.locator("[data-campaign]")).to_have_count(0)
    assert violations(page) == []

    page.get_by_role("button", name="Show", exact=True).click()

    expect(page.locator(f'[data-campaign="{drafts[1]}"] .badge.test')).to_be_visible()


def test_a_campaign_that_is_marked_as_a_test_leaves_the_list_at_once(stage, look):
    page = look()
    entries = stage.scene.snapshots[LIST]["campaigns"]
    row = page.locator(f'[data-campaign="{entries[0]["id"]}"]')
    total = sum(one["counts"]["sends"] for one in entries[1:])
    expect(row).to_be_visible()

    stage.push(LIST, {"campaigns": [changed(entries[0]) | {"test": True}]})

    expect(row).to_have_count(0)
    expect(page.get_by_text("1 test campaign is hidden.")).to_be_visible()
    expect(page.get_by_role("heading", name="All 5 campaigns")).to_be_visible()
    expect(page.locator("[data-total=sends]")).to_contain_text(f"{total:,}")


def test_a_list_of_test_campaigns_alone_says_that_they_are_hidden(stage, look):
    for one in stage.scene.snapshots[LIST]["campaigns"]:
        one["test"] = True
    page = look()

    expect(page.get_by_text("6 test campaigns are hidden.")).to_be_visible()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".badge.test")).to_have_count(6)


def test_the_hours_of_opens_leave_test_campaigns_out(stage, listed, drafts, look):
    page = look()
    asked = len(stage.requests)

    opened(page)

    expect(page.locator(".of-week")).to_contain_text("of the newest 200 of 314 campaigns")
    hours = [one for one in stage.requests[asked:] if one.get("resolution") == "hour"]
    read = {topic.rpartition("/")[2] for one in hours for topic in one["ids"]}
    assert not read.intersection(drafts)
