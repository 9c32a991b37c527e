"""The main flows of the page in Firefox, with a fake server whose data is the same in every run."""

import figures
import pytest
from support.firefox import Tab, running
from support.scenes import PREFIX, SPRING
from support.stage import staged
from views import VIEWS

from dashboard.deploy.publish_site import Authenticator

# The token's payload is {"campaign": "spring-sale"}.
SHARE = "#/share/e30.eyJjYW1wYWlnbiI6InNwcmluZy1zYWxlIn0.e30"
ISSUER = Authenticator("https://issuer", "page", "https://issuer/a", "https://issuer/t", "o", "")


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    with running(tmp_path_factory.mktemp("firefox")) as firefox:
        yield firefox


@pytest.fixture
def look(firefox, stage):
    """Return a function that opens a view; the test fails if Firefox logs an error or a warning."""
    tabs = []

    def look(view="overview"):
        tab = Tab(firefox)
        tabs.append(tab)
        tab.open(stage.url + VIEWS.get(view, view))
        tab.element("h1")
        return tab

    yield look
    complaints = [complaint for tab in tabs for complaint in tab.complaints()]
    for tab in tabs:
        tab.close()
    assert complaints == []


def place(tab) -> str:
    return tab.evaluate("location.hash")


def test_the_list_is_sorted_and_searched_and_back_restores_it(stage, look):
    stage.scene = figures.many(60)
    tab = look()
    tab.counts("[data-campaign]", 50)
    tab.until(f"document.querySelector('[data-campaign]').dataset.campaign === '{SPRING}'")

    tab.click(tab.named("button", "Human clicks", within="thead"))
    tab.element("[aria-sort=descending]")
    best = max(stage.scene.snapshots[figures.LIST]["campaigns"], key=human_click)
    tab.until(f"document.querySelector('[data-campaign]').dataset.campaign === '{best['id']}'")
    assert place(tab) == "#/?sort=human_click"

    tab.press("/", *"spring")
    tab.until("location.hash === '#/?q=spring&sort=human_click'")
    tab.says("h2", "that match")
    tab.until("document.activeElement.value === 'spring'")

    tab.back()
    tab.counts("[data-campaign]", 50)
    tab.until("location.hash === '#/?sort=human_click'")
    tab.until("document.querySelector('[type=search]').value === ''")


def human_click(entry):
    return entry["rates"]["human_click"] or 0


def test_a_campaign_is_drawn_and_its_numbers_follow_a_push(stage, look):
    tab = look()
    tab.click(tab.named("link", SPRING))
    tab.says("h1", SPRING)
    tab.says("[data-metric=sends]", "12,521")
    tab.counts(".plot svg", 2)
    tab.until(DRAWN)

    snapshot = stage.scene.snapshots[PREFIX + SPRING]
    numbers = {name: snapshot[name] for name in ("$type", "campaign", "rates")}
    counts = snapshot["counts"] | {"sends": 12_600}
    stage.push(PREFIX + SPRING, {**numbers, "counts": counts, "version": 901})
    tab.says("[data-metric=sends]", "12,600")


# Each chart has a path with a width and a height.
DRAWN = """(charts => charts.length && charts.every((chart) =>
  [...chart.querySelectorAll("path")].some((path) => {
    const { width, height } = path.getBBox();
    return width > 100 && height > 10;
  })))([...document.querySelectorAll(".plot svg")])"""


def test_the_timeline_zooms_by_drag_and_by_button(look):
    tab = look("campaign")
    tab.until(DRAWN)
    everything = tab.named("button", "Show all")
    assert tab.apply("(one) => one.disabled", everything)

    tab.drag(tab.element(".plot"), 150)
    tab.until("/[?&]from=.*&to=/.test(location.hash)")
    tab.click(everything)
    tab.until("!location.hash.includes('from=')")
    tab.click(tab.named("button", "Zoom in"))
    tab.until("/[?&]from=.*&to=/.test(location.hash)")


def test_a_definition_is_shown_on_hover_and_on_focus(look):
    tab = look("campaign")
    term = tab.named("button", "Hard bounces", within=".problems")
    shown = """[...document.querySelectorAll("[role=tooltip]")].some((one) =>
      one.textContent.includes("Hard bounces ÷ emails sent") && one.checkVisibility({
        opacityProperty: true, visibilityProperty: true }))"""
    tab.until(f"!{shown}")

    tab.hover(term)
    tab.until(shown)
    tab.press("Escape")
    tab.until(f"!{shown}")

    tab.hover(tab.element("h1"))
    tab.apply("(one) => one.focus()", term)
    tab.press("Shift")  # as a keyboard user does: the focus is visible
    tab.until(shown)


def test_recipients_who_have_not_opened_are_downloaded_as_csv(look):
    tab = look("recipients")
    tab.says("main", "Showing 50 of 132")

    tab.click(tab.named("button", "Download CSV"))
    file = tab.downloaded()

    assert file.name == f"{SPRING} recipients not_opened.csv"
    lines = file.read_text("utf-8-sig").splitlines()
    assert lines[0] == "recipient,provider,sent_at,last_at,state,message_id"
    assert len(lines) == 133


def test_two_campaigns_are_chosen_and_compared(look):
    tab = look("choosing")
    tab.click(tab.element(".choices li:nth-child(1) input"))
    tab.says(".chooser", "1 of 6 chosen")
    tab.click(tab.element(".choices li:nth-child(2) input"))
    tab.counts(".compared thead a", 2)
    tab.until(DRAWN)
    tab.says(".compared", "Human opens")


def test_a_report_has_its_charts_and_definitions(look):
    tab = look("report")
    tab.until(DRAWN)
    tab.says("main", "What the numbers mean")
    tab.says("main", "Print or save as PDF")


def test_a_wall_screen_shows_the_numbers_and_the_pace_but_no_addresses(look):
    tab = look("wall")
    tab.says("[data-metric=sends]", "12,521")
    tab.says(".wall", "1.3 × usual")  # noqa: RUF001 - as on the page
    tab.until("!document.body.innerText.includes('@')")


def test_a_share_link_shows_its_campaign_without_a_list(firefox):
    with staged(figures.lively(), ISSUER) as stage:
        tab = Tab(firefox)
        tab.open(stage.url + SHARE)
        tab.says("h1", SPRING)
        tab.says("[data-metric=sends]", "12,521")
        tab.until(DRAWN)
        tab.until("!document.querySelector(\"a[href='#/']\")?.checkVisibility()")
        assert tab.complaints() == []
        tab.close()


def test_the_page_reconnects_after_the_server_hangs_up(stage, look):
    tab = look("campaign")
    tab.element(".status[data-state=live]")

    stage.hang_up()
    tab.says(".status", "reconnected after")
    tab.element(".status[data-state=live]")


def test_a_skip_link_leads_the_keyboard_to_the_numbers(look):
    tab = look("campaign")
    tab.press("Tab")
    tab.until("document.activeElement.textContent === 'Skip to the numbers'")

    tab.press("Enter")
    tab.until("document.activeElement.matches('h1')")


def test_no_view_is_wider_than_the_window(look):
    for view in VIEWS:
        assert look(view).evaluate("document.documentElement.scrollWidth <= innerWidth"), view
