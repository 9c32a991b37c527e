"""Take a screenshot of each of ten campaigns, whose state and problem it must show at a glance.

    python bench/glance.py FOLDER

The files are numbered in a random order, and `answers.json` has what is true of each, for a reader
who has seen the screenshots only. docs/page.md has the result.
"""

import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "browser")]

import click
import figures
from playwright.sync_api import sync_playwright
from support import scenes
from support.scenes import PREFIX, SPRING
from support.stage import Scene, staged

from bench.page import chromium

DESKTOP = {"width": 1280, "height": 800}


def main() -> None:
    """Run the command."""
    command()


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> None:
    """Take the screenshots."""
    folder.mkdir(parents=True, exist_ok=True)
    order = list(CAMPAIGNS)
    random.shuffle(order)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        for number, truth in enumerate(order, 1):
            with staged(CAMPAIGNS[truth]()) as stage:
                context = browser.new_context(viewport=DESKTOP, locale="en-GB")
                page = context.new_page()
                page.goto(f"{stage.url}#/campaign/{SPRING}")
                page.wait_for_timeout(2000)
                page.screenshot(path=folder / f"{number:02}.png")
                context.close()
        browser.close()
    answers = {f"{number:02}.png": truth for number, truth in enumerate(order, 1)}
    (folder / "answers.json").write_text(json.dumps(answers, indent=2) + "\n")
    click.echo(f"Wrote {len(order)} screenshots and answers.json to {folder}")


def healthy() -> Scene:
    """Build a campaign that does better than usual, without any problem."""
    scene = figures.lively()
    scene.snapshots[PREFIX + SPRING]["providers"] = []
    return scene


def weak() -> Scene:
    """Build a campaign that is read and clicked less than usual, without any other problem."""
    scene = healthy()
    pace = scene.snapshots[PREFIX + SPRING]["pace"]
    pace["human_opens"] |= {"expected": 3900, "low": 3400, "high": 4400}
    pace["human_clicks"] |= {"expected": 940, "low": 780, "high": 1100}
    return scene


def troubled(kind: str, level: str, counts: dict[str, int], **values: Any) -> Callable[[], Scene]:
    """Return a function that builds a campaign with a running incident."""

    def build() -> Scene:
        scene = healthy()
        found = {"provider": None, "affected": 0, "total": 0, "since": None, **values}
        changed = {"incident": kind, "kind": kind, "level": level, "values": found}
        scene.snapshots[PREFIX + SPRING]["incidents"] = [scenes.incident(**changed)]
        recount(scene, counts)
        return scene

    return build


def recount(scene: Scene, counts: dict[str, int]) -> None:
    """Change counters of the campaign, and its rates with them."""
    changed = figures.spring_counts() | counts
    scene.snapshots[PREFIX + SPRING] |= scenes.campaign_numbers(changed, version=2000)


def not_begun() -> Scene:
    """Build a campaign of which no event has arrived."""
    scene = figures.lively()
    counts = dict.fromkeys(figures.spring_counts(), 0)
    snapshot = scenes.campaign_numbers(counts, version=0)
    snapshot["bots"]["ses_label"]["agree"] = 0
    scene.snapshots[PREFIX + SPRING] = snapshot
    campaign = scene.snapshots[PREFIX + SPRING]["campaign"]
    campaign |= {"first_event_at": None, "last_event_at": None, "sender": None, "subject": None}
    return scene


CAMPAIGNS: dict[str, Callable[[], Scene]] = {
    "better than usual, no problem": healthy,
    "worse than usual, no other problem": weak,
    "Microsoft defers the emails": troubled(
        "provider_delays", "critical", {}, provider="Microsoft", affected=312, total=840
    ),
    "bad list: too many hard bounces": troubled(
        "bounces",
        "critical",
        {"hard_bounces": 1900, "deliveries": 10480},
        affected=1900,
        total=12480,
    ),
    "too many spam complaints": troubled(
        "complaints", "critical", {"complaints": 61}, affected=61, total=12204
    ),
    "open tracking is off": troubled(
        "no_opens",
        "warning",
        dict.fromkeys(
            ("opens", "unique_opens", "human_opens", "unique_human_opens", "machine_opens"), 0
        )
        | {"readers": 598, "unique_private_opens": 0},
        total=12204,
    ),
    "sending stopped midway": troubled(
        "stopped",
        "warning",
        {"sends": 6120, "prevented": 20, "deliveries": 5980},
        affected=6120,
        total=12500,
    ),
    "emails fail to render": troubled(
        "template_errors", "critical", {"rendering_failures": 840}, affected=840, total=1300
    ),
    "events are counted late, so the numbers are incomplete": troubled(
        "pipeline_late", "warning", {}, affected=410
    ),
    "nothing sent yet, or a wrong name": not_begun,
}


if __name__ == "__main__":
    main()
