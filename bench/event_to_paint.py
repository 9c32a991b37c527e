"""Measure the time from the publication of an event to its number on the screen.

    python bench/event_to_paint.py [--events 200] [--json]

Starts its own `up` and Chromium, and publishes single events with pauses. Stages: the event passes
SNS and SQS, and its fact is written; it is counted in the campaign's summary; the page receives the
push; the number is on the screen (the frame after the one that drew it has begun).
The time of the fact comes from the checkpoint in the summary, because the emulator's sequence
numbers begin with its clock's time. The time of the count is the end of the invocation in the log
of the function; the push may have been sent before. The exit status is 1 if p95 is a second or
more.
"""

import json
import os
import random
import statistics
import sys
import tempfile
import time
from bisect import bisect
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from playwright.sync_api import expect, sync_playwright
from support import live, ses

from bench.page import chromium
from dashboard.deploy import stack
from dashboard.local import install
from dashboard.sqs.topic import Topic

MUST_SECONDS = 1.0
CAMPAIGN = "paint"
WARM = 5
STAGES = ("SNS, SQS and ingest", "stream and count", "stream and push", "page")
# Runs before the page's code, and records when pushes arrive and when the number changes.
OBSERVE = """
const now = () => performance.timeOrigin + performance.now();
window.received = []; window.painted = {};
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", event => window.received.push([now(), event.data]));
  }
};
new MutationObserver(() => {
  const value = document.querySelector("[data-metric=sends]")?.dataset.value;
  if (!value || value in window.painted) return;
  window.painted[value] = null;
  requestAnimationFrame(() => { window.painted[value] = now(); });
}).observe(document, { childList: true, subtree: true, attributes: true });
"""


def publish(topic: Topic) -> float:
    """Publish an event with the current time; return the start time in epoch seconds."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    text = json.dumps(ses.a_send(uuid4().hex, campaign=CAMPAIGN, at=at))
    began = time.time()
    topic.publish_batch([text])
    return began


def stored_at(dashboard: live.Live, table: str) -> float:
    """Return the time when the last fact counted in the campaign's summary was written."""
    key = {"campaign": {"S": CAMPAIGN}, "part": {"S": "summary"}}
    item = dashboard.aws("dynamodb").get_item(TableName=table, Key=key)["Item"]
    [checkpoint] = [value["B"] for value in item.values() if "B" in value]
    sequence = int.from_bytes(checkpoint[:18], "big")
    return int(f"{sequence:030}"[:20]) / 1000


def counts(dashboard: live.Live) -> list[float]:
    """Return the times when counting ended, in epoch seconds."""
    pages = dashboard.aws("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=f"/aws/lambda/{install.COUNTING_FUNCTION}")
    events = [event for page in found for event in page["events"]]
    return sorted(one["timestamp"] / 1000 for one in events if '"event": "count"' in one["message"])


def stages(
    dashboard: live.Live, page: Any, published: list[tuple[float, float]]
) -> list[list[float]]:
    """Return the seconds of each stage, for each event."""
    received: dict[int, float] = {}
    for at, text in page.evaluate("window.received"):
        changes = json.loads(text).get("changes", {})
        if changes.get("campaign", {}).get("id") == CAMPAIGN:
            received.setdefault(changes["counts"]["sends"], at / 1000)
    painted = {int(value): at / 1000 for value, at in page.evaluate("window.painted").items()}
    ends = counts(dashboard)
    found = []
    for number, (began, stored) in enumerate(published, 1):
        counted = min(ends[bisect(ends, stored)], received[number])
        times = [began, stored, counted, received[number], painted[number]]
        found.append([after - before for before, after in pairwise(times)])
    return found[WARM:]


def measure(events: int) -> list[list[float]]:
    """Run the measurement; return the seconds of each stage, for each event."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        dashboard = live.Live(Path(folder) / "state", "--no-demo")
        try:
            browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
            page = browser.new_page()
            page.add_init_script(OBSERVE)
            page.goto(f"{dashboard.info['dashboard']}#/campaign/{CAMPAIGN}")
            status = page.locator(".status")
            expect(status).to_have_attribute("data-state", "live", timeout=20_000)
            sends = page.locator("[data-metric=sends]").first
            topic = Topic(dashboard.aws("sns"), dashboard.info["topic_arn"])
            outputs = stack.outputs(
                dashboard.aws("cloudformation"), stack.stack_name(install.STAGE)
            )
            published = []
            for number in range(1, events + WARM + 1):
                page.wait_for_timeout(random.uniform(300, 1200))
                began = publish(topic)
                expect(sends).to_have_attribute("data-value", str(number), timeout=20_000)
                published.append((began, stored_at(dashboard, outputs["StatsTable"])))
            found = stages(dashboard, page, published)
            browser.close()
        finally:
            dashboard.stop()
    return found


def p95(times: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


@click.command()
@click.option("--events", default=200, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def main(*, events: int, as_json: bool) -> None:
    """Measure and print each stage: p50, p95, and its share of the total time."""
    found = measure(events)
    totals = [sum(times) for times in found]
    rows = {
        name: {
            "p50_ms": statistics.median(times) * 1000,
            "p95_ms": p95(list(times)) * 1000,
            "share": sum(times) / sum(totals),
        }
        for name, times in zip(
            (*STAGES, "publication to paint"), (*zip(*found, strict=True), totals), strict=True
        )
    }
    met = p95(totals) < MUST_SECONDS
    if as_json:
        print(json.dumps({"bench": "event_to_paint", "events": events, "met": met, "rows": rows}))
    else:
        print(f"{'':<24}{'p50 ms':>8}{'p95 ms':>8}{'share':>8}")
        for name, row in rows.items():
            print(f"{name:<24}{row['p50_ms']:>8.0f}{row['p95_ms']:>8.0f}{row['share']:>8.0%}")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
