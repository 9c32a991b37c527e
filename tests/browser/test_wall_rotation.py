"""Several campaigns on a wall screen: rotation, pace as a race, problems, and layout."""

import copy
import os
import re
from itertools import product

import figures
import pytest
from playwright.sync_api import expect
from support import scenes
from support.scenes import PREFIX, SPRING
from views import DESKTOP, WALL_4K, adapt, overflow, record_shifts, shifts, violations

WALL = f"#/wall/{SPRING}/autumn-newsletter/welcome-series"
LANDSCAPE = [{"width": 1280, "height": 720}, {"width": 1920, "height": 1080}, WALL_4K]
PORTRAIT = {"width": 1080, "height": 1920}
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 700}
SCREENS = [
    (1280, 1062), (1024, 768), (1366, 768), (1920, 1080), (3840, 2160), (800, 1280), (1080, 1920),
]  # fmt: skip
ALL = "All campaigns compared with usual"
LONG = "autumn-and-winter-collection-for-returning-customers-eu-2026"
ARABIC = "تخفيضات نهاية الموسم على جميع منتجات الحديقة والمنزل والأدوات"


@pytest.fixture
def wall(stage, look):
    """Return a function that opens a wall screen of three campaigns, which can stop the clock."""
    stage.scene = figures.several()

    def open_wall(view=WALL, *, stopped=False):
        page = look(view)
        if stopped:
            page.clock.install()
            page.goto("about:blank")
            page.goto(stage.url + view)
        expect(page.locator(".status")).to_have_attribute("data-state", "live")
        return page

    return open_wall


def title(page):
    return page.get_by_role("heading", level=1)


def marks(page):
    return page.locator(".rotation .mark")


def topics(stage, action):
    return [one["id"] for one in stage.requests if one["action"] == action]


def push_incident(stage, name, **changed):
    """Push an incident, and store it for later subscriptions."""
    incident = scenes.incident(**changed)
    stage.scene.snapshots[PREFIX + name]["incidents"] = [incident]
    stage.push(PREFIX + name, {"$type": "CampaignStats", "incidents": [incident]})


def scrolled(page):
    return page.evaluate("document.documentElement.scrollHeight - innerHeight")


def box(page, selector):
    return page.locator(selector).bounding_box()


def test_campaigns_and_then_all_of_them_are_shown_in_turn(wall):
    page = wall(f"{WALL}?every=5", stopped=True)

    for name in (SPRING, "autumn-newsletter", "welcome-series", ALL, SPRING):
        expect(title(page)).to_have_text(name)
        assert page.title() == f"{name} – Mailpulse"  # noqa: RUF001 - as on the page
        page.clock.run_for(5000)


def test_a_wall_screen_without_names_shows_what_runs_and_what_begins(stage, wall):
    page = wall("#/wall")
    expect(title(page)).to_have_text(SPRING)
    expect(marks(page)).to_have_count(4)

    snapshot = stage.scene.snapshots[PREFIX + SPRING]
    begun = {**snapshot["campaign"], "id": "new", "title": "new", "first_event_at": scenes.ago(5)}
    stage.scene.snapshots[PREFIX + "new"] = {**snapshot, "campaign": begun}
    entry = figures.listed({**snapshot, "campaign": begun})
    stage.push(figures.LIST, {"$type": "CampaignList", "campaigns": [entry]})

    expect(marks(page)).to_have_count(5)
    marks(page).first.click()
    expect(title(page)).to_have_text("new")
    expect(page.locator("[data-metric=sends]")).to_have_text("12,521")
    assert set(topics(stage, "subscribe")) == {
        *("stats/health", figures.LIST, PREFIX + "new"),
        *(PREFIX + name for name in (SPRING, "autumn-newsletter", "welcome-series")),
    }


def test_a_wall_screen_without_names_and_campaigns_says_so(stage, look):
    stage.scene = scenes.empty()

    expect(title(look("#/wall"))).to_have_text("No campaign has started yet")


def test_subscriptions_end_when_the_wall_screen_is_left(stage, wall):
    page = wall()
    page.get_by_role("link", name="Exit").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()

    left = [PREFIX + name for name in ("autumn-newsletter", "welcome-series")]
    assert sorted(topics(stage, "unsubscribe")) == left


def test_the_list_leads_to_the_wall_screen_and_is_complete_again_after_it(stage, wall):
    page = wall("#/?sort=read")
    expect(page.locator("[data-campaign]").first).to_be_visible()
    page.get_by_role("link", name="Wall screen").click()
    expect(marks(page)).to_have_count(4)
    page.get_by_role("link", name="Exit").click()
    expect(page.locator("[data-campaign]").first).to_be_visible()

    of_list = [one for one in stage.requests if one.get("id") == figures.LIST]
    assert "campaigns" not in of_list[-1]


def test_keys_and_buttons_step_through_the_campaigns(wall):
    page = wall()
    expect(marks(page)).to_have_count(4)
    page.keyboard.press("ArrowRight")
    expect(title(page)).to_have_text("autumn-newsletter")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(title(page)).to_have_text(ALL)
    page.get_by_role("button", name="Next campaign").click()
    expect(title(page)).to_have_text(SPRING)
    page.get_by_role("button", name="3: welcome-series").click()
    expect(title(page)).to_have_text("welcome-series")
    expect(marks(page).nth(2)).to_have_attribute("aria-current", "true")


def test_the_space_bar_pauses_and_resumes(wall):
    page = wall(f"{WALL}?every=5", stopped=True)
    pause = page.get_by_role("button", name="Pause")
    page.keyboard.press(" ")
    page.clock.run_for(30_000)
    expect(pause).to_have_attribute("aria-pressed", "true")
    expect(title(page)).to_have_text(SPRING)

    pause.focus()
    page.keyboard.press(" ")  # once, although the key also presses the button
    expect(pause).to_have_attribute("aria-pressed", "false")
    page.clock.run_for(6000)
    expect(title(page)).to_have_text("autumn-newsletter")


def test_a_critical_incident_is_shown_at_once_in_red(stage, wall):
    page = wall()
    expect(page.get_by_text("No problems")).to_be_visible()

    push_incident(stage, "welcome-series")

    expect(title(page)).to_have_text("welcome-series")
    expect(page.locator(".trouble.bad")).to_contain_text("Microsoft is deferring your mail")
    expect(page.get_by_text("No problems")).to_have_count(0)
    expect(marks(page).nth(2)).to_have_text("!")
    expect(marks(page).nth(2)).to_have_accessible_name("3: welcome-series, running incident")
    size = page.locator(".trouble strong").evaluate("one => parseFloat(getComputedStyle(one).fontSize)")  # fmt: skip
    assert size >= 0.04 * DESKTOP["height"]


def test_an_incident_that_is_not_critical_does_not_interrupt(stage, wall):
    page = wall()
    push_incident(stage, "welcome-series", level="warning")

    expect(marks(page).nth(2)).to_have_text("!")
    expect(title(page)).to_have_text(SPRING)


def test_an_incident_that_has_ended_is_no_problem(stage, wall):
    page = wall()
    push_incident(stage, SPRING)
    expect(page.locator(".trouble")).to_have_count(1)
    push_incident(stage, SPRING, version=2, ended_at=scenes.ago(1))

    expect(page.get_by_text("No problems")).to_be_visible()


def test_parameters_that_cannot_be_used_are_reported(wall):
    page = wall(f"{WALL}?every=3&speed=2")
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("every=3: a campaign is shown for 5 to 300 seconds.")
    expect(notice).to_contain_text("speed=2: a wall screen has no such setting.")

    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_have_count(0)
    assert page.url.endswith(WALL)


def test_campaigns_that_are_too_many_are_named(stage, wall):
    for name in "def":
        snapshot = copy.deepcopy(stage.scene.snapshots[PREFIX + SPRING])
        snapshot["campaign"] |= {"id": name, "title": name}
        stage.scene.snapshots[PREFIX + name] = snapshot
    page = wall(f"{WALL}/d/e/f/g/h")

    expect(page.get_by_role("alert").first).to_have_text(
        "A wall screen shows at most 6 campaigns. Not shown: g, h"
    )


def test_a_campaign_that_the_server_refuses_leaves_the_others_alone(stage, look):
    stage.scene = figures.several()
    del stage.scene.snapshots[PREFIX + "autumn-newsletter"]
    page = look(WALL)
    expect(page.locator("[data-metric=sends]")).to_have_text("12,521")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("These statistics could not be loaded: not now")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-metric=sends]")).to_have_text("12,521")


def test_lengths_of_the_race_are_proportional_to_its_counts(wall):
    page = wall()
    expect(page.get_by_role("heading", name=re.compile("1.3 × usual human opens after 95 min"))).to_be_visible()  # fmt: skip # noqa: RUF001 - as on the page
    expect(page.locator("[data-race]")).to_have_text(["2,683", "2,064", "1,790–2,340", "3,490"])  # noqa: RUF001 - as on the page

    track = box(page, ".track")
    scale = track["width"] / 4000
    run, usual, later = (box(page, f".track > {one}") for one in (".run", ".range:not(.later)", ".range.later"))  # fmt: skip
    lengths = [run["width"], usual["width"], later["width"], usual["x"] - track["x"]]
    assert lengths == pytest.approx([one * scale for one in (2683, 550, 630, 1790)], abs=1)
    assert run["x"] == pytest.approx(track["x"], abs=0.5)
    expected = box(page, ".track > .expected:not(.later)")
    middle = expected["x"] + expected["width"] / 2 - track["x"]
    assert middle == pytest.approx(2064 * scale, abs=1.5)


def test_a_campaign_far_above_usual_is_not_cut_off(stage, wall):
    stage.scene.snapshots[PREFIX + SPRING]["pace"]["human_opens"]["actual"] = 7_654_321
    page = wall()
    track, run = box(page, ".track"), box(page, ".track > .run")

    assert run["width"] == pytest.approx(track["width"] * 7_654_321 / 8_000_000, abs=1)


@pytest.mark.parametrize(
    ("pace", "reason"),
    [
        (None, "No comparison with earlier campaigns yet."),
        ({"needed": 5, "campaigns": 3}, "Not enough history yet: 3 of 5 earlier campaigns"),
        ({"needed": None, "campaigns": 9}, "Too early to tell."),
    ],
)
def test_without_a_pace_the_reason_is_shown(stage, wall, pace, reason):
    snapshot = stage.scene.snapshots[PREFIX + SPRING]
    none = {"version": 1, "human_opens": None, "human_clicks": None, "forecast": []}
    snapshot["pace"] = pace and none | pace
    page = wall()

    expect(page.locator(".race")).to_contain_text(reason)
    expect(page.locator(".track")).to_have_count(0)


def test_all_campaigns_race_by_their_ratio_to_usual(stage, wall):
    stage.scene.snapshots[PREFIX + "welcome-series"]["pace"] = None
    page = wall()
    expect(marks(page)).to_have_count(4)
    page.keyboard.press("ArrowLeft")

    lanes = page.locator(".lanes li")
    expect(lanes).to_have_text(
        [re.compile(f"^{SPRING}.*1.3 × usual"), re.compile("^autumn-newsletter.*0.6 × usual")]  # noqa: RUF001 - as on the page
    )
    expect(page.get_by_text("No comparison yet: welcome-series")).to_be_visible()
    first, second = (lanes.nth(one).locator(".run").bounding_box()["width"] for one in (0, 1))
    assert first / second == pytest.approx(2683 / 1240, abs=0.01)


def test_campaigns_of_which_one_can_be_compared_have_no_race_together(stage, wall):
    for name in ("autumn-newsletter", "welcome-series"):
        stage.scene.snapshots[PREFIX + name]["pace"] = None

    expect(marks(wall())).to_have_count(3)


def test_text_for_a_glance_is_at_least_4_percent_of_the_screen(wall):
    page = wall()
    for size in LANDSCAPE:
        page.set_viewport_size(size)
        sizes = page.locator(
            ".wall h1 bdi, .huge, .tile dt, .tile .rate b, .quiet, .race h2 b, .key-of-race dd"
        ).evaluate_all("all => all.map(one => parseFloat(getComputedStyle(one).fontSize))")
        assert len(sizes) == 18
        assert min(sizes) >= 0.04 * size["height"] - 0.1, size


@pytest.mark.parametrize("name", [LONG, ARABIC])
def test_a_landscape_screen_does_not_scroll_and_cuts_nothing_off(stage, wall, name):
    snapshot = stage.scene.snapshots[PREFIX + SPRING]
    snapshot["campaign"]["title"] = name
    counts = ("sends", "deliveries", "readers", "unique_human_clicks")
    snapshot["counts"] |= dict.fromkeys(counts, 7_654_321)
    snapshot["pace"]["human_opens"] = {"actual": 2_683_000, "expected": 2_064_000, "low": 1_790_000, "high": 2_340_000}  # fmt: skip
    page = wall()
    for direction, size in product(["ltr", "rtl"], LANDSCAPE):
        page.evaluate("direction => { document.documentElement.dir = direction }", direction)
        page.set_viewport_size(size)
        adapt(page)
        assert (scrolled(page), overflow(page)) == (0, 0), (direction, size)
        assert cut(page) == [], (direction, size)


@pytest.mark.parametrize("number", [1, 3])
def test_a_landscape_screen_with_problems_does_not_scroll(stage, wall, number):
    kinds = ("complaints", "bounces", "few_opens")[:number]
    stage.scene.snapshots[PREFIX + SPRING]["incidents"] = [
        scenes.incident(incident=kind, kind=kind) for kind in kinds
    ]
    page = wall()
    expect(page.locator(".trouble")).to_have_count(min(number, 2))
    expect(page.get_by_text("and 1 more problem")).to_have_count(number // 3)
    for size in LANDSCAPE:
        page.set_viewport_size(size)
        adapt(page)
        assert (scrolled(page), overflow(page)) == (0, 0), size
        assert cut(page) == [], size


@pytest.mark.parametrize("size", [PORTRAIT, PHONE, NARROW])
def test_a_portrait_screen_cuts_nothing_off(stage, wall, size):
    snapshot = stage.scene.snapshots[PREFIX + SPRING]
    snapshot["campaign"]["title"] = LONG
    snapshot["counts"] |= {"sends": 7_654_321, "deliveries": 7_654_321}
    page = wall()
    page.set_viewport_size(size)
    adapt(page)

    assert overflow(page) == 0
    assert cut(page) == []
    if size == PORTRAIT:
        assert scrolled(page) == 0


@pytest.mark.parametrize(
    ("scene", "title"),
    [
        (figures.lively, SPRING),
        (figures.alarming, SPRING),
        (figures.alarming, "autumn newsletter " * 11),
    ],
)
def test_a_screen_with_a_long_name_or_a_high_rate_does_not_scroll(stage, look, scene, title):
    stage.scene = scene()
    stage.scene.snapshots[PREFIX + SPRING]["campaign"]["title"] = title
    if scene is figures.alarming:
        stage.scene.snapshots[PREFIX + SPRING]["providers"] = []  # one line less than two
    page = look(f"#/wall/{SPRING}")
    expect(page.locator(".trouble").first).to_be_visible()
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        adapt(page)
        assert (scrolled(page), overflow(page)) == (0, 0), (width, height)
        assert overlapping(page) == [], (width, height)


@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("locale", ["en-GB", "de-DE", "ar-EG"])
def test_no_text_leaves_its_tile_on_common_screens(browser, stage, locale, number):
    stage.scene = figures.several()
    stage.scene.snapshots[PREFIX + SPRING]["incidents"] = [
        scenes.incident(incident=kind, kind=kind) for kind in ("complaints", "bounces")[:number]
    ]
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(stage.url + WALL)
    expect(page.locator(".trouble")).to_have_count(number)
    expect(page.locator(".tile").nth(1)).to_contain_text("of attempted")
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        adapt(page)
        found = wider(page), outside(page), overflow(page), scrolled(page)
        assert found == ([], [], 0, 0), (width, height)
    context.close()


def wider(page):
    """Return the texts of all elements, except charts, that are wider than the element."""
    return page.locator(".wall :not(svg, svg *, .scale *, .axis, .axis *)").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)"
        ".map(one => `${one.className}: ${one.textContent}`)"
    )


def overlapping(page):
    """Return the labels of vertical axes that lie over the next one."""
    return page.locator(".plot svg").evaluate_all(
        """all => all.flatMap(svg => {
          const labels = [...svg.querySelectorAll("text[text-anchor=end]")];
          const high = parseFloat(getComputedStyle(svg).fontSize);
          return labels.slice(1).filter((one, index) => Number(labels[index].getAttribute("y"))
            - Number(one.getAttribute("y")) < high).map(one => one.textContent);
        })"""
    )


def outside(page):
    """Return the texts of which a line is not within its tile or problem."""
    return page.locator(".tile :is(dt, dd), .trouble :is(strong, span)").evaluate_all(
        """all => all.filter(one => {
          const box = one.closest(".tile, .trouble").getBoundingClientRect();
          const range = document.createRange();
          range.selectNodeContents(one);
          return [...range.getClientRects()].some(line => line.left < box.left
            || line.right > box.right || line.top < box.top || line.bottom > box.bottom);
        }).map(one => one.textContent)"""
    )


def cut(page):
    """Return the texts that are wider or higher than the element that contains them."""
    return page.locator(
        "h1, .tile, .tile dd, .trouble, .problems p, .race h2, .key-of-race div, .lanes p, footer"
    ).evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)"
        ".map(one => one.textContent)"
    )


@pytest.mark.parametrize("size", [DESKTOP, PORTRAIT, PHONE, NARROW])
@pytest.mark.parametrize("view", [WALL, "#/wall"])
def test_a_wall_screen_loads_without_layout_shifts(browser, stage, view, size):
    stage.scene = figures.several()
    stage.scene.delay_seconds = 0.2
    context = browser.new_context(viewport=size)
    page = context.new_page()
    record_shifts(page)
    page.goto(stage.url + view)
    expect(page.locator("[data-metric=sends]")).to_have_text("12,521")
    page.wait_for_timeout(1500)

    assert shifts(page) == []
    context.close()


def test_a_wall_screen_that_is_behind_or_offline_is_unmistakable(browser, stage):
    context = browser.new_context(viewport=LANDSCAPE[1])
    page = context.new_page()
    page.goto(stage.url + f"#/wall/{SPRING}")
    status = page.locator(".status")
    expect(status).to_contain_text("Live")
    background = "one => getComputedStyle(one).backgroundColor"
    usual = status.evaluate(background)

    health = stage.scene.snapshots["stats/health"]
    stage.push("stats/health", {**health, "version": 99, "stream_lag_seconds": 75})
    expect(status).to_contain_text("Behind")
    behind = status.evaluate(background)
    page.context.set_offline(True)
    stage.hang_up()
    expect(status).to_contain_text("Offline")
    expect(status).to_contain_text("as of")

    assert len({usual, behind, status.evaluate(background)}) == 3
    for text in (status.get_by_role("status"), status.locator(".since")):
        size = text.evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
        assert size >= 0.034 * LANDSCAPE[1]["height"] - 0.1
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/wall-offline.png")
    context.close()


def test_nothing_moves_with_reduced_motion(wall):
    page = wall()
    expect(page.locator(".passed")).to_be_visible()
    page.emulate_media(reduced_motion="reduce")

    expect(page.locator(".passed")).to_be_hidden()
    expect(marks(page).first).to_be_visible()


def test_a_wall_screen_in_rotation_is_accessible(stage, wall):
    stage.scene.snapshots[PREFIX + SPRING]["incidents"] = [
        scenes.incident(),
        scenes.incident(incident="bounces", kind="bounces", level="warning"),
    ]
    page = wall()
    page.keyboard.press(" ")
    for frame, scheme in product([SPRING, "autumn-newsletter", ALL], ["light", "dark"]):
        page.get_by_role("button", name=re.compile(f": {frame}")).click()
        page.emulate_media(color_scheme=scheme)
        for size in (DESKTOP, PHONE, NARROW):
            page.set_viewport_size(size)
            assert violations(page) == [], (frame, scheme, size)
            assert overflow(page) == 0, (frame, scheme, size)
