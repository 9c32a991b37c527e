"""Campaigns side by side: the action `compare`."""

import json
from datetime import UTC, datetime

import pytest
from support import ses
from support.world import World

from chalicelib.insight.curves import AGE_EDGES_SECONDS
from chalicelib.live.frames import frames
from chalicelib.live.permissions import Connection

VIEWER = Connection("viewer", "api/stage", connected_at=0)
TOPIC = "stats/email-campaign/{}".format


def compared(world, *campaigns):
    """Return the reply to `compare`."""
    text = json.dumps({"action": "compare", "ids": [TOPIC(one) for one in campaigns]})
    world.dynamo.before_call = lambda *_: None
    [answer] = world.new_process().session.answer(VIEWER, text)
    world.dynamo.before_call = lambda *_: world._hold()
    return answer


@pytest.fixture(scope="module")
def world():
    """Of 20 emails each, 10 of `spring` and 2 of `autumn` are opened, after 7 minutes."""
    world = World()
    for campaign, opened in (("spring", 10), ("autumn", 2)):
        for number in range(20):
            one = {"campaign": campaign}
            world.arrive(ses.a_delivery(f"{campaign}-{number}", **one))
            if number < opened:
                at = "2026-11-23T10:07:00.000Z"
                world.arrive(ses.an_open(f"{campaign}-{number}", at=at, **one))
    world.drain()
    return world


def test_campaigns_have_their_counts_rates_and_curves(world):
    spring, autumn = compared(world, "spring", "autumn")["campaigns"]

    assert (spring["id"], autumn["id"]) == ("spring", "autumn")
    assert spring["counts"]["unique_human_opens"] == 10
    assert (spring["rates"]["human_open"], autumn["rates"]["human_open"]) == (0.5, 0.1)
    assert (
        dict(zip(spring["curve"]["ages"], spring["curve"]["human_opens"], strict=True))[480] == 10
    )
    assert dict(zip(autumn["curve"]["ages"], autumn["curve"]["human_opens"], strict=True))[360] == 0


def test_the_difference_of_rates_has_an_interval(world):
    opens, clicks = compared(world, "spring", "autumn")["differences"]

    assert (opens["rate"], clicks["rate"]) == ("human_open", "human_click")
    assert opens["ids"] == ["spring", "autumn"]
    assert opens["difference"] == pytest.approx(0.4)
    assert 0 < opens["low"] < 0.4 < opens["high"] < 1


def test_a_curve_ends_at_the_age_that_the_first_email_has_reached(world):
    curve = compared(world, "spring", "autumn")["campaigns"][0]["curve"]

    age = world.now - datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp()
    assert 0 < len(curve["ages"]) < len(AGE_EDGES_SECONDS)
    assert age / 2 < curve["ages"][-1] <= age
    assert len(curve["ages"]) == len(curve["human_opens"]) == len(curve["human_clicks"])


def test_a_campaign_without_events_counts_nothing_and_differs_from_none(world):
    reply = compared(world, "spring", "winter")

    winter = reply["campaigns"][1]
    assert set(winter["counts"].values()) == {0}
    assert winter["curve"] == {"ages": [], "human_opens": [], "human_clicks": []}
    assert reply["differences"] == []


def test_six_campaigns_with_long_names_fit_into_a_frame_or_are_refused(world):
    def events(names):
        return [ses.a_delivery(f"n-{name[:2]}", campaign=name) for name in names]

    long = [f"{number:02}{'x' * 254}" for number in range(6)]
    world.arrive(*events(long))
    world.drain()
    assert len(frames(compared(world, *long))) == 1

    escaped = [f"{number:02}" + '"' * 254 for number in range(6)]
    world.arrive(*events(escaped))
    world.drain()
    assert compared(world, *escaped)["error"]["code"] == "too_large"
