"""Record a campaign while it is sent: live.webp and by-age.webp in docs/screenshots.

    python bench/recording.py

The campaign and twelve earlier ones are simulated as in bench/pace.py, with a fixed seed. What is
usual, and the pace, are computed by the functions of Mailpulse at each moment, from what is known
by then; a fake server sends them to the real page, whose clock is advanced from frame to frame.
"""

import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "browser")]

import figures
from playwright.sync_api import Page, sync_playwright
from support import scenes
from support.scenes import PREFIX, SPRING
from support.stage import Stage, staged

from bench.animation import Encoder, animated
from bench.pace import Record
from bench.page import chromium
from bench.worlds import histories
from chalicelib.insight.curves import SendBucket
from chalicelib.stats.pace import content_of, usual_content

TARGET = ROOT / "docs" / "screenshots"
SEED = 5008  # a campaign that does better than usual
CAMPAIGNS = 13
WINDOWS: dict[str, dict[str, Any]] = {
    "live": {"viewport": {"width": 1000, "height": 700}, "color_scheme": "light"},
    "by-age": {"viewport": {"width": 900, "height": 800}, "color_scheme": "light"},
}
LOADING_SECONDS = 20
FRAMES = 60
FIRST_SECONDS, LAST_SECONDS = 30, 115 * 60
FRAME_MILLISECONDS, LAST_MILLISECONDS = 120, 4000
_MINUTE = timedelta(minutes=1)

# The simulation has the first open and click of each email, by humans.
_OPENS = ("opens", "unique_opens", "human_opens", "unique_human_opens", "readers", "unique_engaged")
_CLICKS = ("clicks", "unique_clicks", "human_clicks", "unique_human_clicks")


class Recorded:
    """What is known of the simulated campaign at each moment, at the present time.

    Attributes:
        started: when the page shows it as started.
    """

    def __init__(self, records: Sequence[Record], started: datetime) -> None:
        self._record = records[-1]
        self._earlier = records[:-1]
        self.started = started

    def usual(self, age: float) -> dict[str, Any]:
        """Return the reply to `getUsual` at an age."""
        now, others = self._at(age)
        reply = dict(usual_content(self._record.running(now), others, self._sends(age)))
        return reply | {"started_at": rfc3339(self.started)}

    def changes(self, age: float, version: int) -> dict[str, Any]:
        """Return the push at an age."""
        now, others = self._at(age)
        minutes = [*self._buckets(age, 60)]
        counts = scenes.full_counts(**sum((Counter(one) for _, one in minutes), Counter()))
        numbers = scenes.campaign_numbers(counts, version=version)
        del numbers["bots"]
        numbers["campaign"] |= {
            "first_event_at": rfc3339(self.started),
            "last_event_at": rfc3339(self.started + timedelta(seconds=age)),
        }
        pace = content_of(self._record.running(now), others)
        return numbers | {
            "pace": {"version": version, **pace},
            "timeline": {
                name: [
                    {"at": at, "version": version, **one} for at, one in self._buckets(age, width)
                ]
                for name, width in {"minute": 60, "hour": 3600, "day": 86_400}.items()
            },
        }

    def _at(self, age: float) -> tuple[datetime, list[Any]]:
        now = self._record.sent.started + timedelta(seconds=age)
        return now, [one.at(now) for one in self._earlier]

    def _sends(self, age: float) -> list[SendBucket]:
        minutes = Counter(int(one // 60) for one in self._record.sent.accepted if one <= age)
        start = self._record.sent.started
        return [SendBucket(start + one * _MINUTE, _MINUTE, minutes[one]) for one in minutes]

    def _buckets(self, age: float, width: int) -> Iterator[tuple[str, Mapping[str, int]]]:
        sent = self._record.sent
        opened = [one.accepted + one.age for one in sent.opens]
        clicked = [one.accepted + one.age for one in sent.clicks]
        events = {
            "sends": sent.accepted,
            "deliveries": sent.accepted,
            **dict.fromkeys(_OPENS, opened),
            **dict.fromkeys(_CLICKS, clicked),
        }
        found: dict[int, Counter[str]] = {}
        for name, times in events.items():
            for one in times:
                if one <= age:
                    at = math.floor((self.started.timestamp() + one) / width) * width
                    found.setdefault(at, Counter())[name] += 1
        for at, counts in sorted(found.items()):
            yield rfc3339(datetime.fromtimestamp(at, UTC)), counts


def rfc3339(at: datetime) -> str:
    """Return a time as in a message."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def ages() -> Iterator[float]:
    """Yield the ages of the frames in seconds, at equal distances on the axis of the chart."""
    first, last = math.log1p(FIRST_SECONDS / 60), math.log1p(LAST_SECONDS / 60)
    for number in range(FRAMES):
        yield 60 * math.expm1(first + (last - first) * number / (FRAMES - 1))


def main() -> None:
    """Record both animations."""
    records = [Record(one) for one in histories.generate(SEED, "newsletter")[:CAMPAIGNS]]
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        for name, window in WINDOWS.items():
            with staged(figures.lively()) as stage:
                page = browser.new_context(locale="en-GB", **window).new_page()
                encoder = Encoder(browser.new_page())
                record(name, records, stage, page, encoder)
                page.context.close()
            file = TARGET / f"{name}.webp"
            file.write_bytes(animated(encoder.frames))
            print(
                f"{file.relative_to(ROOT)}: {len(encoder.frames)} frames, "
                f"{file.stat().st_size:,} bytes"
            )
        browser.close()


def record(
    name: str, records: Sequence[Record], stage: Stage, page: Page, encoder: Encoder
) -> None:
    """Show the campaign at each age, and take a screenshot of the page or of the chart by age."""
    opened_at = time.time()
    paused_at = int(opened_at) + LOADING_SECONDS
    started = datetime.fromtimestamp(paused_at - FIRST_SECONDS, UTC)
    campaign = Recorded(records, started)
    topic = PREFIX + SPRING
    for part in ("links", "bounces", "providers", "replies", "devices", "undelivered"):
        stage.scene.snapshots[topic].pop(part, None)
    stage.scene.snapshots[topic] |= campaign.changes(FIRST_SECONDS, 1)
    stage.scene.usual = campaign.usual(FIRST_SECONDS)
    page.clock.install(time=opened_at)
    by_age = name == "by-age"
    page.goto(f"{stage.url}#/campaign/{SPRING}{'?age=human_opens' if by_age else ''}")
    timeline = page.locator("section[aria-labelledby=timeline]")
    page.locator("path.band" if by_age else ".plot svg").first.wait_for(state="attached")
    page.clock.pause_at(paused_at)
    if by_age:
        timeline.scroll_into_view_if_needed()
    _settle(page)
    before = float(FIRST_SECONDS)
    for number, age in enumerate(ages()):
        stage.scene.usual = campaign.usual(age)
        page.clock.fast_forward(round((age - before) * 1000))
        stage.push(topic, campaign.changes(age, 2 + number))
        checked = {"checked_at": rfc3339(started + timedelta(seconds=age)), "version": 100 + number}
        stage.push("stats/health", scenes.HEALTHY | checked)
        _settle(page)
        before = age
        is_last = number == FRAMES - 1
        if not by_age and number % 2 == 0:
            continue  # whole pages are large
        shown = _chart(page) if by_age else page.screenshot()
        encoder.add(shown, LAST_MILLISECONDS if is_last else FRAME_MILLISECONDS)


def _chart(page: Page) -> bytes:
    """Take a screenshot of the timeline down to the end of its chart."""
    panel = page.locator("section[aria-labelledby=timeline]").bounding_box()
    plot = page.locator(".plot").bounding_box()
    if panel is None or plot is None:
        raise RuntimeError("the timeline is not shown")
    height = plot["y"] + plot["height"] + 8 - panel["y"]
    return page.screenshot(
        clip={"x": panel["x"], "y": panel["y"], "width": panel["width"], "height": height}
    )


def _settle(page: Page) -> None:
    """Wait until the page has received and drawn everything; its clock hardly advances."""
    for _ in range(4):
        page.wait_for_timeout(60)
        page.clock.run_for(20)


if __name__ == "__main__":
    main()
