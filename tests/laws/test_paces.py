"""The pace of running campaigns: computed by watch, stored, pushed and shown."""

import json
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from support.world import Crash, World

from chalicelib.errors import AwsError, PipelineFault
from chalicelib.insight.curves import AGE_EDGES_SECONDS
from chalicelib.live.permissions import Connection
from chalicelib.stats.counters import AGES, LISTED, ON_DISK, SUMMARY, age_counter
from chalicelib.stats.pace_item import PaceNow, pace_now
from chalicelib.stats.pace_table import RunningCounters

TOPIC = "stats/email-campaign/spring"
LIST = "stats/email-campaigns"
HALF_HOUR = timedelta(minutes=30)
# Of 1,000 emails, how many are first opened in each bucket of the first day: 260 in all.
OPENS = [9, 12, 12, 11, 10, 9, 15, 13, 11, 14, 18, 15, 12, 19, 14, 10, 16, 11, 8, 6, 5, 4, 3, 3]


@contextmanager
def unhooked(world):
    """Call functions outside of any invocation."""
    held, world.dynamo.before_call = world.dynamo.before_call, lambda *_: None
    yield
    world.dynamo.before_call = held


class Account:
    """A world with campaigns of the same sender."""

    def __init__(self, earlier=6):
        self.world = World()
        self.process = self.world.new_process()
        self.table = self.world.dynamo.tables["StatsTable"]
        for number in range(earlier):
            start = self.now - timedelta(days=30 - 2 * number)
            self.store(f"past-{number}", start, share=1 + number / 20)

    @property
    def now(self):
        return datetime.fromtimestamp(self.world.now, UTC)

    def store(self, name, start, share=1.0, buckets=24, **changed):
        """Store a campaign of 1,000 emails that was sent within five minutes."""
        opens = [round(share * one) for one in OPENS[:buckets]]
        ages = {age_counter("unique_human_opens", n): one for n, one in enumerate(opens)}
        counts = {"sends": 1000, "deliveries": 990, "unique_human_opens": sum(opens)} | changed
        at = start.strftime("%Y-%m-%dT%H:%M:%SZ")
        texts = {"first_event_at": at, "last_event_at": at, "listed": LISTED, "sender": "Shop"}
        self.put(name, SUMMARY, counts, **texts)
        self.put(name, AGES, ages)
        for minute in range(5):
            part = (start + timedelta(minutes=minute)).strftime("minute#%Y-%m-%dT%H:%M")
            self.put(name, part, {"sends": 200})
        self.put(name, start.strftime("hour#%Y-%m-%dT%H"), {"sends": 1000})
        self.put(name, start.strftime("day#%Y-%m-%d"), {"sends": 1000})

    def put(self, campaign, part, counts, **texts):
        old = self.table.get((campaign, part)) or {}
        version = {"N": str(int(old.get("v", {"N": "0"})["N"]) + 1)}
        item = {"campaign": {"S": campaign}, "part": {"S": part}, "v": version, "v2": version}
        item |= {ON_DISK[name]: {"N": str(count)} for name, count in counts.items()}
        item |= {name: {"S": text} for name, text in texts.items()}
        self.table.put((campaign, part), item)

    def build_directory(self):
        """Check until the directory has all campaigns."""
        for _ in range(4):
            self.check(minutes=20)

    def check(self, minutes=1):
        self.world.now += 60 * minutes
        with unhooked(self.world):
            self.process.watch.check()
        self.world.drain()

    def start(self, age=HALF_HOUR, **changed):
        """Start the campaign `spring`, and check it."""
        self.build_directory()
        self.store("spring", self.now - age, buckets=12, **changed)
        self.restart()
        self.check(minutes=0)

    def restart(self):
        """Continue in a new process, which has read nothing yet."""
        self.process = self.world.new_process()

    @property
    def pace(self):
        """The pace in a new snapshot."""
        [frame] = self.world.subscribe(TOPIC).frames
        return frame["snapshot"].get("pace")

    @property
    def usual(self):
        """The reply to `getUsual`."""
        text = json.dumps({"action": "getUsual", "id": TOPIC})
        with unhooked(self.world):
            [reply] = self.process.session.answer(Connection("viewer", "api/stage", 0), text)
        return reply

    @property
    def listed(self):
        """The pace of each campaign in a new snapshot of the list."""
        [frame] = self.world.subscribe(LIST).frames
        return {one["id"]: one["pace"] for one in frame["snapshot"]["campaigns"]}

    @property
    def entries(self):
        """The pace of each campaign in the directory, as a new process reads it."""
        with unhooked(self.world):
            entries = self.world.new_process().directory.entries()
        return {one.campaign: one.pace for one in entries}

    def list(self, **asked):
        """Return the reply to a request for the list of campaigns."""
        viewer = self.world.subscribe()
        viewer.ask("listCampaigns", **asked)
        return viewer.frames[-1]

    @property
    def writes(self):
        return int((self.table.get(("spring", "pace")) or {}).get("v", {"N": "0"})["N"])


def test_a_campaign_is_compared_with_what_is_usual_at_its_age():
    account = Account()

    account.start()

    pace = account.pace
    assert pace["campaigns"] == 6
    assert pace["at"] == account.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert set(pace["human_opens"]) == {"actual", "expected", "low", "high"}
    opens = pace["human_opens"]
    assert opens["actual"] == sum(OPENS[:12])
    assert opens["low"] < opens["expected"] < opens["high"]
    # The emails are 25 to 30 minutes old: eleven buckets have passed, the twelfth partly.
    assert 1.0 * sum(OPENS[:10]) < opens["expected"] < 1.25 * sum(OPENS[:12])
    assert "human_clicks" not in pace, "no click is usual"
    day, week = pace["forecast"]
    assert (day["hours"], week["hours"]) == (24, 168)
    assert opens["actual"] < day["human_opens"]["expected"] <= week["human_opens"]["expected"]


def test_what_is_usual_at_each_age_agrees_with_the_pace_now():
    account = Account()
    account.start()

    usual, pace = account.usual, account.pace

    assert usual.keys() == {
        *("request_id", "action", "id", "campaigns", "at", "started_at", "ages", "human_opens")
    }, "no click is usual"
    assert (usual["campaigns"], usual["at"]) == (6, pace["at"])
    assert usual["started_at"] == (account.now - HALF_HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert usual["ages"] == [0, *AGE_EDGES_SECONDS[:35]]
    now = usual["ages"].index(30 * 60)
    for name in ("low", "expected", "high"):
        series = usual["human_opens"][name]
        assert series == sorted(series)
        assert series[now] == pytest.approx(pace["human_opens"][name], abs=0.55)
    assert usual["human_opens"]["expected"][-1] > 1.5 * usual["human_opens"]["expected"][now]


def test_what_is_usual_at_the_present_age_is_among_the_ages():
    account = Account()
    account.start()
    account.check(minutes=3)

    usual = account.usual

    assert 33 * 60 in usual["ages"]
    assert usual["ages"] == sorted(usual["ages"])


def test_what_is_usual_says_how_many_campaigns_are_missing():
    account = Account(earlier=3)
    account.start()

    usual = account.usual

    assert (usual["campaigns"], usual["needed"]) == (3, 5)
    assert usual.keys() == {"request_id", "action", "id", "campaigns", "needed"}


def test_what_is_usual_is_unknown_before_events_and_of_campaigns_known_in_part():
    account = Account()
    assert account.usual["campaigns"] is None
    account.start(unique_human_opens=2000)
    assert account.usual["campaigns"] is None


def test_earlier_campaigns_are_read_once_an_hour_for_what_is_usual():
    account = Account()
    account.start()
    process = account.process
    read = []
    original = process.stats_table.ages

    def ages(campaigns):
        read.append(len(campaigns))
        return original(campaigns)

    with patch.object(process.stats_table, "ages", ages):
        first = account.usual
        again = account.usual
        account.world.now += 3600
        account.usual  # noqa: B018 - it reads

    assert again == first
    assert read == [6, 1, 1, 6, 1]


def test_campaigns_are_left_out_at_ages_they_had_not_reached_when_they_were_read():
    """Their counters are kept for an hour, in which this campaign grows older than they were."""
    account = Account()
    account.build_directory()
    account.world.now += 3600 - account.world.now % 3600 - 600
    for number in range(5):
        account.store(f"segment-{number}", account.now, buckets=5)
    with unhooked(account.world):
        account.process.directory.update_entries(
            [f"segment-{number}" for number in range(5)], account.now
        )
    account.world.now += 660
    account.store("spring", account.now, buckets=1)
    account.restart()
    assert account.usual["campaigns"] == 11, "all have been sent"
    account.check(minutes=0)
    account.store("spring", account.now, buckets=15)

    account.check(minutes=50)

    pace, usual = account.pace, account.usual
    assert (pace["campaigns"], usual["campaigns"]) == (6, 6)
    account.restart()
    account.check(minutes=0)
    assert account.pace["campaigns"] == 11, "a new process has read them now"


def test_what_is_usual_grows_without_an_event_and_is_pushed():
    account = Account()
    account.start()
    before = account.pace
    viewer = account.world.subscribe(TOPIC)

    account.check(minutes=10)

    after = account.pace
    assert after["human_opens"]["expected"] > before["human_opens"]["expected"]
    assert after["human_opens"]["actual"] == before["human_opens"]["actual"]
    assert after["version"] > before["version"]
    assert viewer.frames[-1]["changes"]["pace"] == after
    assert viewer.frames[-1]["changes"]["version"] == 1, "the summary's counters are the same"


def test_what_is_usual_grows_in_minutes_that_store_no_check():
    account = Account()
    account.start()
    account.check()
    before, checked = account.writes, account.process.stats_table.pipeline.health
    with unhooked(account.world):
        checked_at = checked().findings.checked_at

    for _ in range(3):
        account.check()

    with unhooked(account.world):
        assert checked().findings.checked_at == checked_at
    assert account.writes > before


def test_a_pace_that_says_the_same_is_not_written():
    account = Account(earlier=0)
    account.start()
    assert account.pace == {"version": 1, "campaigns": 0, "needed": 5}

    for _ in range(10):
        account.check()

    assert account.writes == 1


@pytest.mark.parametrize(
    ("changed", "campaigns"),
    [
        ({"deliveries": 499}, 5),
        ({"unique_human_opens": 2000}, 5),  # an earlier release has counted most of them
        ({}, 6),
    ],
)
def test_a_campaign_that_is_too_small_or_known_in_part_is_no_comparison(changed, campaigns):
    account = Account()
    account.store("past-0", account.now - timedelta(days=30), **changed)

    account.start()

    assert account.pace["campaigns"] == campaigns


def test_campaigns_of_other_senders_and_later_ones_are_no_comparison():
    account = Account(earlier=4)
    account.store("later", account.now + timedelta(hours=5))
    account.store("other", account.now - timedelta(days=3))
    item = account.table.get(("other", SUMMARY))
    account.table.put(("other", SUMMARY), item | {"sender": {"S": "Bank"}})

    account.start()

    assert account.pace == {"version": 1, "campaigns": 4, "needed": 5}


def test_nothing_is_said_of_a_campaign_with_few_deliveries():
    account = Account()

    account.start(deliveries=199)

    assert account.pace.keys() == {"version", "campaigns", "at", "forecast"}
    assert account.pace["forecast"] == []


def test_after_two_days_the_pace_is_computed_each_hour_and_after_a_week_no_more():
    account = Account()
    account.start()
    computed = []
    original = RunningCounters.read

    def spy(self, *arguments):
        computed.append(account.now)
        return original(self, *arguments)

    with patch.object(RunningCounters, "read", spy):
        account.check(minutes=48 * 60)
        account.check()  # builds the directory again, after two days without a check
        account.check()
        computed.clear()
        for _ in range(120):
            account.check()
        assert len(computed) == 2
        account.check(minutes=5 * 24 * 60)
        computed.clear()
        before = account.writes
        for _ in range(120):
            account.check()
    assert (computed, account.writes) == ([], before)


def test_a_quiet_minute_reads_nothing_for_the_pace():
    account = Account()
    account.start()
    account.check()
    calls = []
    original = account.world.dynamo.call

    def call(operation, **parameters):
        calls.append((operation, str(parameters)))
        return original(operation, **parameters)

    with patch.object(account.world.dynamo, "call", call):
        account.check()
    of_pace = [one for one in calls if any(f"'{part}" in one[1] for part in (AGES, "minute#"))]
    assert of_pace == []


@pytest.mark.parametrize("error", [AwsError("Throttling", "slow down"), ZeroDivisionError()])
def test_a_pace_that_fails_keeps_watch_from_nothing_else(error):
    account = Account()
    account.build_directory()
    account.store("spring", account.now - HALF_HOUR, buckets=12)
    account.store("summer", account.now - HALF_HOUR, buckets=12)
    account.restart()
    process = account.process
    update = process.paces.update

    def failing(summary, now):
        if summary.campaign == "summer":
            raise error
        return update(summary, now)

    with patch.object(process.paces, "update", failing), pytest.raises(PipelineFault):
        account.check()

    checked_at = process.stats_table.pipeline.health().findings.checked_at
    assert checked_at == account.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert account.writes == 1


def test_a_process_that_rested_stores_its_pace_over_that_of_another():
    """Both say the same as before, so that only a read shows what is stored."""
    account = Account(earlier=4)
    account.start()
    account.check()
    key = ("spring", "pace")
    stored = account.table.get(key)
    other = stored | {"pace": {"S": '{"campaigns":3,"needed":5}'}, "v": {"N": "9"}}
    account.table.put(key, other)

    account.check(minutes=2)

    assert account.pace == {"version": 10, "campaigns": 4, "needed": 5}


def test_the_list_shows_the_pace_of_the_topic_without_its_forecast():
    account = Account()

    account.start()

    pace = account.pace
    shown = {"version": pace["version"], "human_opens": pace["human_opens"]}
    assert account.listed["spring"] == shown
    assert account.list()["results"][0]["pace"] == shown
    assert account.list(sort="sends", limit=1, query="spring")["results"][0]["pace"] == shown
    assert account.listed["past-0"] is None, "it was never computed"


def test_viewers_of_the_list_receive_a_pace_without_an_event():
    account = Account()
    account.start()
    viewer = account.world.subscribe(LIST)
    before = len(viewer.frames)

    account.check(minutes=10)

    assert len(viewer.frames) > before
    assert viewer.topics[LIST].parts["pace", "spring"] == account.listed["spring"]
    assert viewer.topics[LIST].parts == account.world.snapshot(LIST).parts


def test_the_pace_of_a_list_reads_no_further_item():
    account = Account()
    account.start()
    process, viewer = account.world.new_process(), account.world.subscribe()
    calls = []
    original = account.world.dynamo.call

    def call(operation, **parameters):
        calls.append((operation, parameters))
        return original(operation, **parameters)

    with unhooked(account.world), patch.object(account.world.dynamo, "call", call):
        list(process.session.answer(viewer.connection, '{"action": "listCampaigns"}'))

    [(_, read)] = [one for one in calls if one[0] == "batch_get_item"]
    assert [operation for operation, _ in calls] == ["query", "batch_get_item"]
    assert {key["part"]["S"] for key in read["RequestItems"]["StatsTable"]["Keys"]} == {SUMMARY}


def test_campaigns_are_sorted_by_pace_and_those_without_it_are_last():
    account = Account()
    account.build_directory()
    for name, share in (("slow", 0.5), ("quick", 2.0), ("usual", 1.0)):
        account.store(name, account.now - HALF_HOUR, share, buckets=12)
    account.store("few", account.now - HALF_HOUR, buckets=12, deliveries=199)
    account.restart()
    account.check(minutes=0)
    account.check()

    ranked = [one["id"] for one in account.list(sort="pace")["results"]]
    assert ranked[:3] == ["quick", "usual", "slow"]
    turned = [one["id"] for one in account.list(sort="pace", order="asc")["results"]]
    assert turned[:3] == ["slow", "usual", "quick"]
    assert {*ranked[3:]} == {*turned[3:]} == {"few", *(f"past-{n}" for n in range(6))}
    pages, more = [], {}
    while True:
        reply = account.list(sort="pace", limit=2, **more)
        pages += [one["id"] for one in reply["results"]]
        if "cursor" not in reply:
            break
        more = {"cursor": reply["cursor"]}
    assert pages == ranked


def test_a_check_that_dies_at_any_call_is_repaired_by_the_next_one():
    """The next check is at the same moment, so that no number has changed since."""
    account = Account()
    account.start()
    calls = 0
    for dies_at in range(1, 200):
        account.world.now += 600
        account.restart()
        calls = 0

        def dies(*_, at=dies_at):
            nonlocal calls
            calls += 1
            if calls == at:
                raise Crash

        account.world.dynamo.before_call = dies
        with suppress(Crash):
            account.process.watch.check()
        has_died = calls == dies_at
        account.world.dynamo.before_call = lambda *_: None
        account.restart()
        account.check(minutes=0)

        topic, listed = account.pace, account.listed["spring"]
        assert listed == {"version": topic["version"], "human_opens": topic["human_opens"]}
        assert account.entries["spring"].version == topic["version"]
        if not has_died:
            break
    assert 20 < calls < dies_at < 200


def test_a_pace_that_another_process_has_stored_is_entered_in_the_directory():
    """It died before it had updated the directory, at a minute in which this one checked, too."""
    account = Account()
    account.start()
    account.check()
    other = account.world.new_process()
    with unhooked(account.world):
        stored = other.stats_table.paces.put("spring", {"campaigns": 4, "needed": 5}, account.now)
        other.stats_table.paces.repeat("spring", pace_now(stored))
    entered = account.entries["spring"].version

    for _ in range(6):
        account.check()

    assert account.entries["spring"].version > stored.version > entered
    assert account.entries["spring"].version == account.pace["version"]


def test_an_older_pace_does_not_replace_a_newer_one_in_the_list():
    account = Account()
    account.start()
    newest = account.listed["spring"]
    table = account.process.stats_table

    with unhooked(account.world):
        table.paces.repeat("spring", PaceNow(newest["version"] - 1, (9, 9, 9, 9)))
        table.paces.repeat("none", PaceNow(9, (9, 9, 9, 9)))

    assert account.listed["spring"] == newest
    assert account.table.get(("none", SUMMARY)) is None, "no campaign is created"


def test_a_pace_leaves_the_version_of_the_summary_for_a_recount():
    """A recount corrects a summary only if no event was counted since it was read."""
    account = Account()
    account.start()

    account.check(minutes=10)

    assert account.table.get(("spring", SUMMARY))["v"] == {"N": "1"}


def test_a_pace_is_pushed_to_the_list_after_its_summary_was_pushed_at_once():
    """Aggregate pushes a summary before its record is read, whose version a pace leaves as it is."""
    account = Account()
    account.start()
    viewer = account.world.subscribe(LIST)
    publish = account.process.publish
    summary = account.table.get(("spring", SUMMARY))
    with unhooked(account.world):
        publish.push_now([summary])
        newer = summary | {"pace_v": {"N": "99"}, "pace_now": {"S": "[[9,3,2,4],null]"}}
        record = {"NewImage": newer, "ApproximateCreationDateTime": account.world.now}
        publish.batch([{"dynamodb": record}])

    assert viewer.frames[-1]["changes"]["campaigns"][0]["pace"]["version"] == 99


def test_entries_wait_while_the_directory_is_built():
    account = Account()
    account.start()
    with unhooked(account.world):
        account.process.directory.request_build(account.now)
        state = account.process.stats_table.pipeline.get().directory
    assert state.is_complete

    account.table.put(
        (" pipeline", "directory"),
        {**account.table.get((" pipeline", "directory")), "format": {"S": "0"}},
    )
    with patch.object(account.process.directory, "update_entries") as updated:
        account.check(minutes=10)
        assert not updated.called
    for _ in range(3):
        account.check()

    assert account.entries["spring"].version == account.pace["version"]
