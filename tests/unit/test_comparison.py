"""Campaigns side by side: the action `compare`."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from support import ses
from support.world import World

from chalicelib.insight.curves import AGE_EDGES_SECONDS, bucket
from chalicelib.live.comparison import compare
from chalicelib.live.frames import frames
from chalicelib.live.permissions import Connection
from chalicelib.stats.counters import RESOLUTIONS, SUMMARY, Aggregate, age_counter, bucket_part

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


NOW = datetime(2026, 11, 23, 11, tzinfo=UTC)


class Counters:
    """The counters of campaigns with 100 delivered emails each, in place of the stats table."""

    def __init__(self):
        self.campaigns = {}
        self.sends = {}

    def add(self, campaign, age, deliveries=100, sent_for=0, **opens):
        """Add a campaign that began `age` seconds ago, with its opens: `after_30=4`."""
        last = NOW - timedelta(seconds=age - sent_for)
        self.sends[campaign] = [
            Aggregate(campaign, bucket_part(one, last.isoformat()), counts={"sends": 1})
            for one in RESOLUTIONS
        ]
        by_age = {int(name.removeprefix("after_")): count for name, count in opens.items()}
        counts = {"deliveries": deliveries, "unique_human_opens": sum(by_age.values())}
        begun = (NOW - timedelta(seconds=age)).isoformat()
        ages = {
            age_counter("unique_human_opens", bucket(seconds)): count
            for seconds, count in by_age.items()
        }
        summary = Aggregate(campaign, SUMMARY, counts=counts, first_event_at=begun)
        self.campaigns[campaign] = summary, ages

    def summaries(self, names):
        return [self.campaigns[one][0] for one in names]

    def ages(self, names):
        return [self.campaigns[one][1] for one in names]

    def buckets(self, campaign, prefix):
        return [one for one in self.sends[campaign] if one.part.startswith(prefix)]

    def compared(self):
        return compare(self, [*self.campaigns], NOW)


def test_campaigns_of_different_ages_also_differ_at_the_age_of_the_youngest():
    counters = Counters()
    counters.add("old", 30 * 86_400, after_30=4, after_599=6, after_3600=20)
    counters.add("young", 700, after_30=15, after_650=1)
    counters.add("empty", 5, deliveries=0)

    reply = counters.compared()

    assert reply["same_age"] == 600
    opens, clicks = reply["differences"]
    assert opens["ids"] == ["old", "young"]
    assert opens["difference"] == pytest.approx(0.14)
    assert opens["at_same_age"]["difference"] == pytest.approx(-0.05)
    assert -0.2 < opens["at_same_age"]["low"] < -0.05 < opens["at_same_age"]["high"] < 0.1
    assert clicks["at_same_age"]["difference"] == 0


def test_campaigns_are_compared_at_the_age_of_the_last_email():
    """Emails that are younger than an age have not had the time to be opened until it."""
    counters = Counters()
    counters.add("at once", 6 * 3600, after_600=10, after_7200=10, after_14400=10)
    counters.add("for hours", 6 * 3600, sent_for=5 * 3600 - 60, after_600=9, after_7200=5)

    reply = counters.compared()

    assert reply["same_age"] == 3600
    [opens, _] = reply["differences"]
    assert opens["at_same_age"]["difference"] == pytest.approx(0.01)


def test_without_sends_a_campaign_has_the_age_of_its_first_event():
    counters = Counters()
    counters.add("old", 30 * 86_400, after_30=4)
    counters.add("young", 700, after_30=15)
    counters.sends["young"] = []

    assert counters.compared()["same_age"] == 600


@pytest.mark.parametrize(("age", "sent_for"), [(59, 0), (7200, 7150)])
def test_while_emails_are_sent_there_is_no_age_to_compare_at(age, sent_for):
    counters = Counters()
    counters.add("old", 30 * 86_400, after_30=4)
    counters.add("new", age, sent_for=sent_for, after_30=15)

    reply = counters.compared()

    assert reply["same_age"] is None
    assert [one["at_same_age"] for one in reply["differences"]] == [None, None]
    assert reply["differences"][0]["difference"] == pytest.approx(-0.11)


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


def of_variants(campaign="sale", tag="variant", **numbers):
    """Return a world whose campaign has emails delivered and clicked, by variant."""
    world = World()
    table = world.dynamo.tables["StatsTable"]
    for value, (deliveries, clicks) in numbers.items():
        counts = {"d": {"N": str(deliveries)}, "uhc": {"N": str(clicks)}, "v": {"N": "1"}}
        key = campaign, f"variant#{tag}={value}"
        table.put(key, {"campaign": {"S": key[0]}, "part": {"S": key[1]}, **counts})
    tags = {"tags": {"SS": [f"{tag}={value}" for value in numbers]}} if numbers else {}
    summary = {"campaign": {"S": campaign}, "part": {"S": "summary"}, "v": {"N": "1"}, **tags}
    table.put((campaign, "summary"), summary)
    return world


def compared_variants(world, campaign="sale", tag="variant"):
    """Return the reply to `compareVariants`."""
    text = json.dumps({"action": "compareVariants", "id": TOPIC(campaign), "tag": tag})
    world.dynamo.before_call = lambda *_: None
    [answer] = world.new_process().session.answer(VIEWER, text)
    return answer


def test_the_variant_that_is_better_is_decided_with_probabilities():
    reply = compared_variants(of_variants(a=(5000, 100), b=(5000, 200)))

    assert (reply["verdict"], reply["best"]) == ("decided", "b")
    a, b = reply["variants"]
    assert (a["value"], a["deliveries"], a["unique_human_clicks"]) == ("a", 5000, 100)
    assert (a["rate"], b["rate"]) == (0.02, 0.04)
    assert a["probability"] + b["probability"] == pytest.approx(1)
    [difference] = reply["differences"]
    assert (difference["rate"], difference["values"]) == ("human_click", ["a", "b"])
    assert difference["low"] < difference["difference"] < difference["high"] < 0


def test_no_variant_is_the_best_before_it_is_decided():
    early = compared_variants(of_variants(a=(5000, 100), b=(5000, 101)))
    few = compared_variants(of_variants(a=(5000, 100), b=(199, 50)))

    assert (early["verdict"], early["best"]) == ("too_early", None)
    assert (few["verdict"], few["best"]) == ("too_few", None)
    assert [one["probability"] for one in few["variants"]] == [None, None]


def test_a_variant_without_deliveries_has_no_rate_and_no_difference():
    reply = compared_variants(of_variants(a=(5000, 100), b=(0, 1)))

    assert [one["rate"] for one in reply["variants"]] == [0.02, None]
    assert reply["differences"] == []


def test_of_more_than_six_variants_those_with_the_most_deliveries_are_compared():
    numbers = {f"v{n}": (1000 + n % 4, 10) for n in range(8)}

    reply = compared_variants(of_variants(**numbers))

    assert [one["value"] for one in reply["variants"]] == ["v1", "v2", "v3", "v5", "v6", "v7"]
    assert len(reply["differences"]) == 15


@pytest.mark.parametrize(
    ("world", "says"),
    [
        (of_variants(), "none, and no other tag"),
        (of_variants(a=(1, 1)), "only 'a'"),
        (of_variants(tag="region", eu=(1, 1), us=(1, 1)), "none, but the tags: region"),
        (of_variants(a=(0, 0), b=(0, 0)), "counted none of its values yet"),
    ],
)
def test_fewer_than_two_variants_are_refused_with_what_exists(world, says):
    error = compared_variants(world)["error"]

    assert error["code"] == "invalid_request"
    assert says in error["message"]


def test_a_campaign_that_does_not_exist_has_no_variants():
    assert compared_variants(World())["error"]["code"] == "invalid_request"


def test_variants_of_simulated_events_are_compared():
    world = World()
    for number in range(6):
        variant = "ab"[number % 2]
        world.arrive(ses.a_delivery(f"m-{number}", variant=variant))
        world.arrive(ses.a_click(f"m-{number}", at="2026-11-23T10:07:00.000Z", variant=variant))
    world.drain()

    reply = compared_variants(world, "spring")

    assert [(one["value"], one["deliveries"]) for one in reply["variants"]] == [("a", 3), ("b", 3)]
    assert [one["unique_human_clicks"] for one in reply["variants"]] == [3, 3]
