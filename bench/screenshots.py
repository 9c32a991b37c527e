"""Take the screenshots in docs/screenshots: each view in each of its states.

    python bench/screenshots.py

Review them afterwards.
"""

import base64
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "browser")]

import figures
from playwright.sync_api import Browser, Page, expect, sync_playwright
from support import scenes
from support.scenes import PREFIX, SPRING
from support.stage import Scene, Stage, staged

from bench.page import chromium
from dashboard.deploy.publish_site import Authenticator

TARGET = ROOT / "docs" / "screenshots"
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
TABLET = {"viewport": {"width": 820, "height": 1180}, "has_touch": True}
SCREEN_4K = {"viewport": {"width": 3840, "height": 2160}}
SIZES = {
    "": DESKTOP | {"color_scheme": "light"},
    "-dark": DESKTOP | {"color_scheme": "dark"},
    "-phone": PHONE | {"color_scheme": "light"},
    "-tablet": TABLET | {"color_scheme": "light"},
    "-4k": SCREEN_4K | {"color_scheme": "light"},
}
VIEWS = {
    "overview": "#/",
    "campaign": f"#/campaign/{SPRING}",
    "report": f"#/report/{SPRING}",
    "activity": f"#/campaign/{SPRING}/all",
    "pipeline": "#/health",
}


WALL = "#/wall"
WALLS = {
    "wall": {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "light"},
    "wall-dark": {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"},
    "wall-phone": PHONE | {"color_scheme": "light"},
    "wall-4k": {"viewport": {"width": 3840, "height": 2160}, "color_scheme": "light"},
    "wall-portrait": {"viewport": {"width": 1080, "height": 1920}, "color_scheme": "light"},
}
SCENES = {
    "few": figures.few,
    "alarming": figures.alarming,
    "private": figures.private,
    "incomplete": figures.incomplete,
    "recount": figures.of_an_earlier_release,
}


def main() -> None:
    """Take all screenshots."""
    TARGET.mkdir(parents=True, exist_ok=True)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        with staged(figures.lively()) as stage:
            for view in VIEWS:
                if view == "overview":
                    continue  # see lists
                for suffix, options in SIZES.items():
                    take(browser, stage, view, view + suffix, **options)
            pipeline = opened(browser, stage.url + VIEWS["pipeline"], **DESKTOP)
            shoot(pipeline, "pipeline-whole", full_page=True)
            whole(browser, stage, "campaign-whole")
            whole(browser, stage, "forced-colors", forced_colors="active")
            printed(browser, stage)
            behind(browser, stage)
            by_age(browser, stage)
            notes(browser, stage)
            reclassified(browser, stage)
            shared(browser, stage)
            stage.scene.snapshots.pop(PREFIX + SPRING)
            take(browser, stage, "campaign", "error", **DESKTOP)
        recipients(browser)
        walls(browser)
        lists(browser)
        comparisons(browser)
        variants(browser)
        devices(browser)
        alarms(browser)
        for name, scene in SCENES.items():
            with staged(scene()) as stage:
                take(browser, stage, "campaign", name, **DESKTOP)
        with staged(scenes.empty()) as stage:
            take(browser, stage, "overview", "empty", **DESKTOP)
        with staged(figures.silent()) as stage:
            take(browser, stage, "pipeline", "pipeline-silent", **DESKTOP)
        with staged(Scene(silent=True)) as stage:
            take(browser, stage, "overview", "loading", **DESKTOP)
        with staged(late()) as stage:
            take(browser, stage, "pipeline", "pipeline-late", **DESKTOP)
        offline(browser)
        signing_in(browser)
        browser.close()


def late() -> Scene:
    """Return a scene with a pipeline that needs attention."""
    scene = figures.lively()
    scene.snapshots["stats/health"] |= {
        "queue": {"waiting": 4120, "oldest_seconds": 410},
        "dead_letters": 3,
        "untracked": ["plain-text-notice"],
    }
    return scene


def opened(browser: Browser, url: str, **options: object) -> Page:
    """Open a page, and wait until it is complete."""
    page = browser.new_context(locale="en-GB", timezone_id="Europe/Zurich", **options).new_page()
    page.goto(url)
    page.wait_for_timeout(1200)
    return page


def take(browser: Browser, stage: Stage, view: str, name: str, **options: object) -> None:
    """Take a screenshot of a view."""
    shoot(opened(browser, stage.url + VIEWS[view], **options), name)


def shoot(page: Page, name: str, **options: object) -> None:
    """Take a screenshot of a page, and close it."""
    page.screenshot(path=TARGET / f"{name}.jpg", type="jpeg", quality=72, **options)
    page.context.close()


def unfolded(browser: Browser, stage: Stage, **options: object) -> Page:
    """Open a campaign, and load the content at its end."""
    page = opened(browser, stage.url + VIEWS["campaign"], **DESKTOP, **options)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator(".events tbody tr")).to_have_count(8)
    page.evaluate("scrollTo(0, 0)")
    return page


def walls(browser: Browser) -> None:
    """Capture wall screens of several campaigns: of each size, of all together, with incidents."""
    with staged(figures.several()) as stage:
        for name, options in WALLS.items():
            shoot(wall(browser, stage, **options), name)
        page = wall(browser, stage, **WALLS["wall"])
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".lanes li")).to_have_count(3)
        shoot(page, "wall-all")
        stage.scene.snapshots[PREFIX + SPRING]["incidents"] = [
            scenes.incident(),
            scenes.incident(incident="bounces", kind="bounces", level="warning"),
        ]
        shoot(wall(browser, stage, **WALLS["wall"]), "wall-incident")


def wall(browser: Browser, stage: Stage, **options: object) -> Page:
    """Open a wall screen, and wait until all of its campaigns are loaded."""
    page = opened(browser, stage.url + WALL, **options)
    expect(page.locator(".rotation .mark")).to_have_count(4)
    expect(page.locator(".track")).to_be_visible()
    page.wait_for_timeout(300)
    return page


def lists(browser: Browser) -> None:
    """Capture the list of many campaigns: live, sorted, filtered, without a match, and refused."""
    filtered = f"#/?from={scenes.ago(30 * 24 * scenes.HOUR)[:10]}&sender=green&sort=human_click"
    with staged(figures.many(317)) as stage:
        for suffix, options in SIZES.items():
            shoot(opened(browser, stage.url, **options), f"overview{suffix}")
        page = opened(browser, stage.url, **DESKTOP)
        page.emulate_media(media="print")
        shoot(page, "overview-print", full_page=True)
        for name, options in {"opened": DESKTOP, "opened-phone": PHONE}.items():
            page = opened(browser, stage.url, **options)
            page.get_by_text("When are emails opened?").click()
            expect(page.locator("table.week")).to_be_visible()
            shoot(page, name)
        shoot(opened(browser, f"{stage.url}#/?sort=read", **DESKTOP), "overview-sorted")
        shoot(opened(browser, f"{stage.url}{filtered}", **DESKTOP), "overview-filtered")
        shoot(opened(browser, f"{stage.url}{filtered}", **PHONE), "overview-sorted-phone")
        for one in stage.scene.snapshots[figures.LIST]["campaigns"][1:3]:
            one["test"] = True
        shoot(opened(browser, f"{stage.url}#/?tests=1", **DESKTOP), "overview-tests")
        none = f"{stage.url}#/?q=summer&from=2026-11-01"
        shoot(opened(browser, none, **DESKTOP), "overview-none")
        bad = f"{stage.url}#/?sort=best&from=2026-02-30"
        shoot(opened(browser, bad, **DESKTOP), "overview-bad-link")
        page = opened(browser, stage.url, **DESKTOP)
        stage.scene.list_refusal = {"code": "internal", "message": "the request failed: try again"}
        page.get_by_label("Sort by").select_option("Read rate")
        page.wait_for_timeout(500)
        shoot(page, "overview-refused")


def recipients(browser: Browser) -> None:
    """Capture the recipients of a campaign who have not opened, and the history of one."""
    path = f"{VIEWS['campaign']}/recipients"
    with staged(figures.lively()) as stage:
        stage.scene.recipients = scenes.recipients(1354)
        for name, options in {
            "recipients": DESKTOP | {"color_scheme": "light"},
            "recipients-dark": DESKTOP | {"color_scheme": "dark"},
            "recipients-phone": PHONE | {"color_scheme": "light"},
        }.items():
            shoot(opened(browser, f"{stage.url}{path}?state=not_opened", **options), name)
        one = f"{stage.url}{path}?recipient=li.wei%40example.org"
        shoot(opened(browser, one, **DESKTOP), "recipient")
        shoot(opened(browser, one, **PHONE), "recipient-phone")


def comparisons(browser: Browser) -> None:
    """Capture comparisons: of old campaigns, while choosing them, and of different ages."""
    old = "#/compare/winter-clearance/newsletter-2026-11/welcome-series-3"
    with staged(figures.lively()) as stage:
        for suffix, options in SIZES.items():
            shoot(opened(browser, stage.url + old, **options), f"compare{suffix}", full_page=True)
        shoot(opened(browser, f"{stage.url}#/compare/{SPRING}", **PHONE), "compare-choose")
        young = f"{stage.url}#/compare/{SPRING}/newsletter-2026-11"
        shoot(opened(browser, young, **DESKTOP), "compare-young", full_page=True)


def variants(browser: Browser) -> None:
    """Capture the variants of a campaign: one that is decided, and one that is not."""
    scene = figures.varied()
    scene.snapshots[PREFIX + SPRING]["variants"] += figures.varied(
        tag="audience", clicks=(150, 158, 148)
    ).snapshots[PREFIX + SPRING]["variants"]
    with staged(scene) as stage:
        for name, options in {"variants": DESKTOP, "variants-phone": PHONE}.items():
            page = opened(browser, stage.url + VIEWS["campaign"], **options)
            panel = page.get_by_role("region", name="Variants")
            panel.evaluate("one => scrollTo(0, one.offsetTop - 80)")
            expect(panel.get_by_text("is best, with")).to_be_visible()
            shoot(page, name)


def shared(browser: Browser, stage: Stage) -> None:
    """Capture the dialog in which a campaign is shared."""
    stage.scene.snapshots[PREFIX + SPRING]["may_share"] = True
    stage.scene.shares = [
        {
            "share": "Zx81kQ2vT0aB",
            "created_at": scenes.ago(3 * 86400),
            "expires_at": scenes.ago(-27 * 86400),
            "created_by": "ada@example.com",
            "name": "Client",
        },
        {
            "share": "mB3_x9-LqW7e",
            "created_at": scenes.ago(3 * 86400),
            "expires_at": scenes.ago(-27 * 86400),
            "created_by": "ada@example.com",
            "name": "Press",
        },
    ]
    for name, options in {
        "share-dialog": DESKTOP | {"color_scheme": "light"},
        "share-dialog-dark": DESKTOP | {"color_scheme": "dark"},
        "share-dialog-phone": PHONE | {"color_scheme": "light"},
    }.items():
        page = opened(browser, stage.url + VIEWS["campaign"], **options)
        page.get_by_role("button", name="Share").click()
        links = page.get_by_role("dialog").get_by_role("listitem")
        expect(links).to_have_count(2)
        links.first.get_by_role("button").click()
        expect(links.first.get_by_role("button", name="Keep")).to_be_focused()
        shoot(page, name)


def devices(browser: Browser) -> None:
    """Capture the devices and mail programs of a campaign."""
    with staged(figures.lively()) as stage:
        for name, options in {"devices": DESKTOP, "devices-phone": PHONE}.items():
            page = opened(browser, stage.url + VIEWS["campaign"], **options)
            page.evaluate("scrollTo(0, document.body.scrollHeight)")
            panel = page.get_by_role("region", name="Devices and mail programs")
            panel.evaluate("one => scrollTo(0, one.offsetTop - 80)")
            shoot(page, name)


def alarms(browser: Browser) -> None:
    """Capture incidents, their marks, and the settings of alarms of a campaign and of all."""
    scene = figures.lively()
    ended = {
        "incident": "bounces",
        "kind": "bounces",
        "began_at": scenes.ago(50 * 60),
        "ended_at": scenes.ago(30 * 60),
        "values": {"affected": 92, "total": 1000},
    }
    scene.snapshots[PREFIX + SPRING] |= {
        "incidents": [scenes.incident(), scenes.incident(**ended)],
        "alarms": [scenes.alarms(may_change=True), scenes.alarms_of_all()],
    }
    scene.snapshots["stats/health"] |= {"alarms": [scenes.alarms_of_all()]}
    looks = {
        "": DESKTOP | {"color_scheme": "light"},
        "-dark": DESKTOP | {"color_scheme": "dark"},
        "-phone": PHONE | {"color_scheme": "light"},
    }
    with staged(scene) as stage:
        for look, options in looks.items():
            shoot(opened(browser, stage.url + VIEWS["campaign"], **options), f"incident{look}")
            page = opened(browser, stage.url + VIEWS["campaign"], **options)
            reveal(page, "section:has(> .panel-head #timeline)")
            shoot(page, f"incident-marks{look}")
            page = opened(browser, stage.url + VIEWS["campaign"], **options)
            reveal(page, ".panel.alarms")
            page.locator(".panel.alarms summary").click()
            reveal(page, ".panel.alarms")
            shoot(page, f"alarms{look}")
            page = opened(browser, stage.url + VIEWS["pipeline"], **options)
            reveal(page, ".panel.alarms")
            shoot(page, f"alarms-of-all{look}")


def reveal(page: Page, selector: str) -> None:
    """Scroll until a panel, which may be loaded by that, is below the header."""
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    panel = page.locator(selector)
    expect(panel).to_be_visible(timeout=20_000)
    page.wait_for_timeout(400)
    panel.evaluate("one => scrollTo(0, one.getBoundingClientRect().top + scrollY - 80)")
    page.wait_for_timeout(200)


def whole(browser: Browser, stage: Stage, name: str, **options: object) -> None:
    """Capture a whole campaign, from top to bottom."""
    shoot(unfolded(browser, stage, **options), name, full_page=True)


def printed(browser: Browser, stage: Stage) -> None:
    """Capture a report as it is printed on A4."""
    page = opened(browser, stage.url + VIEWS["report"], **DESKTOP)
    expect(page.get_by_role("region", name="What the numbers mean")).to_be_visible()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})
    page.wait_for_timeout(300)
    shoot(page, "report-print", full_page=True)


def by_age(browser: Browser, stage: Stage) -> None:
    """Capture the timeline of a campaign by age: light, dark, on a phone, and without history."""
    usual = stage.scene.usual
    for name, options in {
        "by-age": DESKTOP | {"color_scheme": "light"},
        "by-age-dark": DESKTOP | {"color_scheme": "dark"},
        "by-age-phone": PHONE | {"color_scheme": "light"},
        "by-age-few": DESKTOP | {"color_scheme": "light"},
    }.items():
        stage.scene.usual = {"campaigns": 3, "needed": 5} if name == "by-age-few" else usual
        page = opened(browser, f"{stage.url}{VIEWS['campaign']}?age=human_opens", **options)
        timeline = page.locator("section[aria-labelledby=timeline]")
        timeline.scroll_into_view_if_needed()
        if name == "by-age":
            timeline.locator(".plot").hover(position={"x": 450, "y": 80})
        page.wait_for_timeout(300)
        shoot(page, name)


def notes(browser: Browser, stage: Stage) -> None:
    """Capture the notes of a campaign, opened: light, dark, and on a phone."""
    campaign = stage.scene.snapshots[PREFIX + SPRING]
    fixed = scenes.note(note="n-2", at=scenes.ago(12 * 60), text="Fixed the link in the header")
    stage.scene.snapshots[PREFIX + SPRING] = {
        **campaign,
        "notes": [scenes.note(), fixed],
        "may_share": True,
    }
    for name, options in {
        "notes": DESKTOP | {"color_scheme": "light"},
        "notes-dark": DESKTOP | {"color_scheme": "dark"},
        "notes-phone": PHONE | {"color_scheme": "light"},
    }.items():
        page = opened(browser, stage.url + VIEWS["campaign"], **options)
        page.locator(".notes summary").click()
        page.locator(".notes form").scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        shoot(page, name)
    stage.scene.snapshots[PREFIX + SPRING] = campaign


def behind(browser: Browser, stage: Stage) -> None:
    """Capture a campaign while the pipeline is behind."""
    page = opened(browser, stage.url + VIEWS["campaign"], **DESKTOP)
    stage.push(
        "stats/health",
        {**scenes.HEALTHY, "checked_at": scenes.ago(1), "version": 50, "stream_lag_seconds": 75},
    )
    page.wait_for_timeout(500)
    shoot(page, "behind")


def reclassified(browser: Browser, stage: Stage) -> None:
    """Capture a campaign with opens that were reclassified as bot traffic."""
    page = opened(browser, stage.url + VIEWS["campaign"], **DESKTOP)
    counts = figures.spring_counts()
    for what, number in (("opens", 12), ("clicks", 9)):
        counts[f"human_{what}"] -= number
        counts[f"machine_{what}"] += number
    stage.push(PREFIX + SPRING, scenes.campaign_numbers(counts, version=2000))
    page.get_by_text("Why are there two numbers?").click()
    page.get_by_text("While you were watching").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    shoot(page, "reclassified")


def offline(browser: Browser) -> None:
    """Capture a campaign while the page is offline."""
    with staged(figures.lively()) as stage:
        page = opened(browser, stage.url + VIEWS["campaign"], **DESKTOP)
        page.context.set_offline(True)
        stage.hang_up()
        page.wait_for_timeout(6000)
    shoot(page, "offline")


def signing_in(browser: Browser) -> None:
    """Capture a share link, and a failed sign-in."""
    issuer = Authenticator(
        "https://issuer", "page", "https://issuer/a", "https://issuer/t", "openid", ""
    )
    campaign = base64.urlsafe_b64encode(json.dumps({"campaign": SPRING}).encode()).decode()
    with staged(figures.lively(), issuer) as stage:
        token = f"e30.{campaign.rstrip('=')}.e30"
        shoot(opened(browser, f"{stage.url}#/share/{token}", **DESKTOP), "share")
        shoot(opened(browser, f"{stage.url}#/share/{token}", **PHONE), "share-phone")
        shoot(opened(browser, f"{stage.url}?error=access_denied&state=x", **DESKTOP), "signed-out")


if __name__ == "__main__":
    main()
