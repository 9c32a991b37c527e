"""Incidents of campaigns: stored, pushed and sent once, however checks run and end."""

from collections import Counter
from datetime import timedelta
from itertools import count, takewhile
from unittest.mock import patch
from zlib import crc32

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from laws.test_paces import TOPIC, Account, unhooked

from chalicelib.errors import AwsError, PipelineFault
from chalicelib.functions import watch
from chalicelib.insight.alarms import JUDGED_FOR
from chalicelib.insight.done import DONE_AFTER, DONE_UNTIL
from chalicelib.stats.counters import ON_DISK, SUMMARY, provider_part
from chalicelib.stats.incident_item import incident_from_item
from chalicelib.stats.incident_table import HOLD_SECONDS
from chalicelib.stats.watch_log import log_from_item

HOUR = timedelta(hours=1)
BEGAN = [("no_opens", "began")]
ENDED = [*BEGAN, ("no_opens", "ended")]
DONE = ("done", "done")


class Campaign(Account):
    """A campaign with 990 delivered emails and no opens for an hour."""

    def __init__(self, earlier=0, buckets=0):
        super().__init__(earlier=earlier)
        self.build_directory()
        self.batches = 0
        self.began = self.now - HOUR
        self.was_awaited = False
        self.store("spring", self.began, buckets=buckets)
        self._note()
        self.loses_response = False
        self.completing = set()  # checks that have stored something to do
        self.world.idle.clear()
        self.world.dynamo.before_call = self._hold
        self.world.dynamo.after_write = self._after_write
        self.world.after_send = self._after_send

    def _hold(self, operation, parameters):
        if operation == "update_item" and parameters["Key"]["part"]["S"].startswith("incident#"):
            self.completing.add(self.world.current)
        self.world._hold()

    def reach_the_message(self, invocation):
        """Continue a check until it is about to do what it has stored."""
        while invocation in self.world.running and invocation not in self.completing:
            invocation.step()

    def send_the_message(self, invocation):
        """Continue a check until it has sent a message."""
        sent = len(self.sent)
        while invocation in self.world.running and len(self.sent) == sent:
            invocation.step()

    def _after_write(self, _table, key):
        self.was_awaited = self.was_awaited or "spring" in self.awaited
        if key[0] == "spring":
            self._lose()

    def _after_send(self, to):
        if to == "alarm topic":
            self._lose()

    def _lose(self):
        if self.loses_response:
            self.loses_response = False
            raise AwsError("RequestTimeout", "no response")

    @property
    def has_incident(self):
        return self.table.get(("spring", "incident#no_opens")) is not None

    def open(self):
        """Count opens: the trouble is over."""
        self.count(SUMMARY, opens=40)

    def count(self, part, **counts):
        """Count in a part of the campaign."""
        key = {"campaign": {"S": "spring"}, "part": {"S": part}}
        old = self.table.get(("spring", part)) or key
        version = {"N": str(int(old.get("v", {"N": "0"})["N"]) + 1)}
        counted = {ON_DISK[name]: {"N": str(number)} for name, number in counts.items()}
        self.table.put(("spring", part), old | counted | {"v": version, "v2": version})
        self._note()

    def _note(self):
        """Store that something was counted, as aggregate does."""
        self.batches += 1
        with unhooked(self.world):
            self.process.stats_table.positions.put(
                *("n-1", "shard-1", str(self.batches)),
                created=int(self.world.now),
                campaigns={"spring"},
            )

    @property
    def sent(self):
        return [(one["kind"], one["state"]) for one in self.world.alarms]

    @property
    def open_campaigns(self):
        """The campaigns that are judged even if they are not among the newest."""
        stored = self.table.get((" pipeline", "open incidents")) or {}
        return stored.get("campaigns", {}).get("SS", [])

    @property
    def awaited(self):
        """The campaigns that wait for their results."""
        stored = self.table.get((" pipeline", "open incidents")) or {}
        return sorted(one.split(" ", 1)[1] for one in stored.get("awaited", {}).get("SS", []))

    @property
    def ids(self):
        return Counter(one["deduplication_id"] for one in self.world.alarms)

    @property
    def incidents(self):
        [frame] = self.world.subscribe(TOPIC).frames
        return frame["snapshot"]["incidents"]

    def wait(self, **time):
        """Advance the clock without a check."""
        self.world.now += timedelta(**time).total_seconds()

    def rest(self, minutes, **fields):
        """Set quiet hours that begin now."""
        begin, end = self.now, self.now + timedelta(minutes=minutes)
        times = {"from": f"{begin:%H:%M}", "to": f"{end:%H:%M}", "zone": "UTC"}
        self.ask(quiet=times | {"except_critical": False}, **fields)

    def leave_the_newest(self):
        """Begin so many campaigns that this one is no longer among the newest."""
        for number in range(watch._CAMPAIGNS):
            self.store(f"newer-{number}", self.now, share=0, deliveries=3, sends=3)
        self._note()

    def log_reads(self, minutes):
        """Check for some minutes, and return how often the watch log was read."""
        logs = self.process.stats_table.watch_logs
        with patch.object(logs, "get", wraps=logs.get) as read:
            for _ in range(minutes):
                self.check()
        return [one.args for one in read.call_args_list].count(("spring",))

    def ask(self, **fields):
        viewer = self.world.subscribe()
        viewer.ask("setAlarms", **fields)
        return viewer.frames[-1]


def test_an_incident_is_stored_shown_and_sent_once():
    campaign = Campaign()

    for _ in range(5):
        campaign.check()

    assert campaign.sent == BEGAN
    [incident] = campaign.incidents
    began = (campaign.now - timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:00Z")
    assert incident == {
        "incident": "no_opens",
        "version": 1,
        "kind": "no_opens",
        "level": "warning",
        "began_at": began,
        "ended_at": None,
        "values": {"affected": 0, "total": 990},
        "snoozed": False,
    }


def test_a_mailbox_provider_that_defers_is_an_incident_of_its_own():
    campaign = Campaign()
    campaign.count(SUMMARY, opens=40, sends=1000, deliveries=630, delivery_delays=372)
    campaign.count(provider_part("Gmail"), sends=600, deliveries=590, delivery_delays=2)
    campaign.count(provider_part("Microsoft"), sends=400, deliveries=40, delivery_delays=370)

    campaign.check()

    [incident] = campaign.incidents
    assert incident["kind"] == "provider_delays"
    values = {name: incident["values"][name] for name in ("provider", "affected", "total")}
    assert values == {"provider": "Microsoft", "affected": 360, "total": 400}
    assert campaign.sent == [("provider_delays", "began")]
    assert "Microsoft" in campaign.world.alarms[0]["subject"]
    assert "360 of 400 emails to Microsoft are delayed" in campaign.world.alarms[0]["text"]


def test_the_end_of_an_incident_is_stored_shown_and_sent_once():
    campaign = Campaign()
    campaign.check()
    campaign.open()

    for _ in range(15):
        campaign.check()

    assert campaign.sent == ENDED
    [incident] = campaign.incidents
    assert incident["version"] == 2
    assert incident["ended_at"] > incident["began_at"]


def test_a_viewer_receives_the_beginning_and_the_end():
    campaign = Campaign()
    viewer = campaign.world.subscribe(TOPIC)

    campaign.check()
    campaign.open()
    for _ in range(12):
        campaign.check()

    pushed = [one["changes"] for one in viewer.frames if "incidents" in one.get("changes", ())]
    assert [one["incidents"][0]["version"] for one in pushed] == [1, 2]
    assert pushed[-1]["incidents"] == campaign.incidents


def test_without_a_change_nothing_is_written():
    campaign = Campaign()
    campaign.check()
    campaign.check()
    before = campaign.table.get(("spring", "watch log"))

    for _ in range(5):
        campaign.check()

    assert campaign.table.get(("spring", "watch log")) == before


def test_after_48_hours_a_running_incident_ends():
    campaign = Campaign()
    campaign.check()
    campaign.world.now += JUDGED_FOR.total_seconds()

    for _ in range(3):
        campaign.check()

    assert [one for one in campaign.sent if one != DONE] == ENDED
    assert "Not watched any longer" in campaign.world.alarms[1]["text"]
    assert [one["ended_at"] is None for one in campaign.incidents] == [False]


def test_nothing_is_judged_while_ingest_is_paused():
    campaign = Campaign()
    with unhooked(campaign.world):
        campaign.process.stats_table.pipeline.pause("2026-11-23T21:00:00Z")

    campaign.check()

    assert (campaign.sent, campaign.incidents) == ([], [])


def test_a_test_campaign_has_no_incidents_until_it_is_none():
    campaign = Campaign()
    campaign.ask(id=TOPIC, test=True)
    for _ in range(3):
        campaign.check()
    assert (campaign.sent, campaign.incidents) == ([], [])

    campaign.ask(id=TOPIC, test=False)
    campaign.check()
    assert campaign.sent == BEGAN


def test_the_incidents_of_a_campaign_that_becomes_a_test_end_silently():
    campaign = Campaign()
    campaign.check()
    campaign.ask(id=TOPIC, test=True)

    for _ in range(3):
        campaign.check()

    assert campaign.sent == BEGAN
    assert campaign.incidents[0]["ended_at"] is not None


@pytest.mark.parametrize("of", [{"id": TOPIC}, {}])
def test_while_alarms_are_snoozed_incidents_are_shown_and_not_sent(of):
    campaign = Campaign()
    until = (campaign.now + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    campaign.ask(**of, snooze_until=until)

    campaign.check()
    assert campaign.sent == []
    assert [one["snoozed"] for one in campaign.incidents] == [True]

    for _ in range(6):
        campaign.check()
    assert [one["snoozed"] for one in campaign.incidents] == [False]
    campaign.open()
    for _ in range(12):
        campaign.check()
    assert campaign.sent == [], "what began unsent also ends unsent"


def test_only_the_chosen_kinds_are_sent():
    campaign = Campaign()
    campaign.ask(id=TOPIC, kinds=["bounces"])

    campaign.check()

    assert campaign.sent == []
    assert [one["kind"] for one in campaign.incidents] == ["no_opens"]


@pytest.mark.parametrize("of", [{"id": TOPIC}, {}])
def test_what_begins_in_quiet_hours_is_sent_once_when_they_end(of):
    campaign = Campaign()
    campaign.rest(5, **of)

    for _ in range(4):
        campaign.check()
    assert campaign.sent == []
    assert [one["ended_at"] for one in campaign.incidents] == [None]

    for _ in range(5):
        campaign.check()
    assert campaign.sent == BEGAN
    campaign.open()
    for _ in range(12):
        campaign.check()
    assert campaign.sent == ENDED


def test_what_begins_and_ends_in_quiet_hours_is_not_sent():
    campaign = Campaign()
    campaign.rest(60)
    campaign.check()
    campaign.open()

    for _ in range(90):
        campaign.check()

    assert campaign.sent == []
    assert [one["ended_at"] is None for one in campaign.incidents] == [False]


def test_the_end_of_what_was_sent_waits_for_the_end_of_quiet_hours():
    campaign = Campaign()
    campaign.check()
    campaign.rest(30)
    campaign.open()
    for _ in range(28):
        campaign.check()
    assert campaign.sent == BEGAN

    for _ in range(4):
        campaign.check()

    assert campaign.sent == ENDED


def test_a_message_that_waits_is_sent_if_quiet_hours_are_removed():
    campaign = Campaign()
    campaign.rest(600)
    campaign.check()

    campaign.ask(quiet=None)
    campaign.check()

    assert campaign.sent == BEGAN


def test_a_message_that_waits_is_dropped_if_its_kind_is_not_sent_any_more():
    campaign = Campaign()
    campaign.rest(5)
    campaign.check()
    campaign.ask(kinds=["bounces"])

    for _ in range(6):
        campaign.check()

    assert campaign.sent == []


def test_critical_incidents_are_sent_in_quiet_hours_by_default():
    campaign = Campaign()
    campaign.ask(quiet={"from": "00:01", "to": "00:00", "zone": "UTC"})
    campaign.count(SUMMARY, hard_bounces=400)

    campaign.check()

    assert campaign.sent == [("bounces", "began")]
    assert {one["kind"] for one in campaign.incidents} == {"bounces", "no_opens"}


def test_a_message_that_waits_is_sent_after_the_campaign_is_judged_no_longer():
    campaign = Campaign()
    campaign.check()
    campaign.ask(id=TOPIC, kinds=["no_opens"])
    campaign.wait(hours=46, minutes=50)
    campaign.rest(30)
    for _ in range(25):
        campaign.check()
    assert campaign.sent == BEGAN

    for _ in range(10):
        campaign.check()

    assert campaign.sent == ENDED


def test_an_incident_is_judged_until_it_ends_though_newer_campaigns_begin():
    campaign = Campaign()
    campaign.check()
    campaign.leave_the_newest()
    campaign.check()
    campaign.open()

    for _ in range(12):
        campaign.check()

    assert campaign.sent == ENDED
    assert campaign.open_campaigns == []


def test_the_incident_of_an_older_campaign_is_closed_after_48_hours():
    campaign = Campaign()
    campaign.check()
    campaign.leave_the_newest()
    campaign.check()
    assert campaign.open_campaigns == ["spring"]
    campaign.restart()
    campaign.world.now += JUDGED_FOR.total_seconds()

    for _ in range(3):
        campaign.check()

    assert [one for one in campaign.sent if one != DONE] == ENDED
    assert campaign.open_campaigns == []


def overlapping(before, calls):
    """Return an older campaign after a check that closes it and the next one, which opens it.

    The first check continues for some calls after it has sent the message, then the second for
    some calls, then the first until it ends, then the second.
    """
    campaign = Campaign()
    campaign.check()
    campaign.leave_the_newest()
    campaign.check()
    campaign.open()
    for _ in range(9):
        campaign.check()
    campaign.wait(minutes=1)
    first = campaign.world.watch()
    campaign.send_the_message(first)
    assert campaign.sent == ENDED
    campaign.wait(minutes=1)
    campaign.count(SUMMARY, opens=40, sends=1000, deliveries=590, hard_bounces=400)
    second = campaign.world.watch()
    for invocation, most in [(second, 2), (first, before), (second, calls), (first, 99)]:
        for _ in range(most):
            if invocation in campaign.world.running:
                invocation.step()
    campaign.world.drain()
    return campaign


@pytest.mark.parametrize("before", range(1, 4))
@pytest.mark.parametrize("calls", [0, 20, 40, 60, 80, 100, 120, 999])
def test_a_campaign_is_judged_though_the_check_that_closes_it_overlaps_the_next(before, calls):
    campaign = overlapping(before, calls)

    assert ("bounces", "began") in campaign.sent
    assert campaign.open_campaigns == ["spring"]


def of_yesterday():
    """Return a campaign that is done within the next minute, and was opened."""
    campaign = Campaign()
    campaign.open()
    campaign.check()
    campaign.world.now += (DONE_AFTER - 2 * HOUR).total_seconds()
    campaign.check()
    assert campaign.sent == []
    campaign.world.now += HOUR.total_seconds()
    return campaign


def test_the_results_of_a_campaign_that_is_done_are_sent_once():
    campaign = of_yesterday()

    for _ in range(5):
        campaign.check()

    [message] = campaign.world.alarms
    assert (message["kind"], message["level"], message["state"]) == ("done", "info", "done")
    assert message["subject"] == "Your campaign is done: spring"
    assert "Delivered: 990 of 1,000 emails (99.0%)." in message["text"]
    assert campaign.incidents == []


@pytest.mark.parametrize("settings", [{"kinds": ["bounces"]}, {"test": True}])
def test_no_results_are_sent_of_a_test_or_if_they_are_not_chosen(settings):
    campaign = of_yesterday()
    campaign.ask(id=TOPIC, **settings)
    for _ in range(3):
        campaign.check()

    assert campaign.sent == []


def test_results_wait_for_the_end_of_a_snooze_and_of_quiet_hours():
    campaign = of_yesterday()
    campaign.ask(snooze_until=(campaign.now + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ"))
    campaign.rest(90)
    for _ in range(85):
        campaign.check()
    assert campaign.sent == []

    for _ in range(10):
        campaign.check()

    assert campaign.sent == [DONE]


def test_a_campaign_whose_results_are_sent_after_48_hours_is_left_with_nothing_to_do():
    campaign = of_yesterday()
    campaign.world.now += JUDGED_FOR.total_seconds() / 2

    for _ in range(3):
        campaign.check()

    assert campaign.sent == [DONE]
    assert campaign.open_campaigns == []


def older(**start):
    """Return a campaign that has left the newest, an hour before it may be done."""
    campaign = Campaign(**start)
    campaign.open()
    campaign.check()
    campaign.leave_the_newest()
    campaign.check()
    campaign.world.now += (DONE_AFTER - 2 * HOUR).total_seconds()
    return campaign


def older_in_its_turn():
    """Return a campaign that has left the newest, and is done within the next minute."""
    campaign = older()
    campaign.world.now += HOUR.total_seconds()
    while (int(campaign.world.now) // 60 + 1) % 10 != crc32(b"spring") % 10:
        campaign.wait(minutes=1)
    return campaign


def test_the_results_of_a_campaign_that_is_no_longer_among_the_newest_are_sent_once():
    campaign = older()
    for _ in range(50):
        campaign.check()
    assert (campaign.sent, campaign.open_campaigns, campaign.awaited) == ([], [], ["spring"])

    for _ in range(40):
        campaign.check()

    assert campaign.sent == [DONE]
    assert "Delivered: 990 of 1,000 emails (99.0%)." in campaign.world.alarms[0]["text"]
    assert (campaign.open_campaigns, campaign.awaited) == ([], [])


def test_the_results_of_an_older_campaign_are_compared_with_what_is_usual_at_its_age():
    campaign = older(earlier=6, buckets=24)
    before = campaign.pace["human_opens"]
    campaign.world.now += HOUR.total_seconds()

    for _ in range(12):
        campaign.check()

    usual = campaign.pace["human_opens"]
    assert usual["low"] > before["low"]
    [message] = campaign.world.alarms
    assert f"usual after this time ({usual['low']} to {usual['high']})" in message["text"]


def test_a_campaign_that_may_be_done_is_read_every_ten_minutes_and_not_before():
    campaign = older()
    campaign.ask(id=TOPIC, test=True)

    assert campaign.log_reads(minutes=30) == 0
    campaign.world.now += HOUR.total_seconds()
    assert campaign.log_reads(minutes=30) == 3


def test_a_campaign_waits_for_its_results_from_100_deliveries_on():
    campaign = Campaign()
    campaign.count(SUMMARY, deliveries=99)
    campaign.check()
    assert campaign.awaited == []

    campaign.count(SUMMARY, deliveries=100)
    campaign.check()
    assert campaign.awaited == ["spring"]


def test_a_campaign_that_is_not_reported_waits_for_its_results_until_72_hours():
    campaign = older()
    campaign.ask(id=TOPIC, test=True)
    campaign.world.now += (DONE_UNTIL - DONE_AFTER).total_seconds()
    for _ in range(50):
        campaign.check()
    assert campaign.awaited == ["spring"]

    for _ in range(20):
        campaign.check()

    assert (campaign.sent, campaign.awaited) == ([], [])


def test_a_limited_number_of_campaigns_waits_for_results():
    campaign = Campaign()
    waiting = []
    with patch("chalicelib.stats.incident_table.MOST_AWAITED", 30):
        for part in range(4):
            for number in range(25):
                campaign.store(f"newer-{part}-{number}", campaign.now, share=0)
            campaign._note()
            campaign.check()
            waiting.append(len(campaign.awaited))

    assert waiting == [25, 50, 50, 50]


def test_no_results_are_sent_while_events_are_counted_late():
    campaign = of_yesterday()
    campaign.ask(id=TOPIC, kinds=["done"])
    late = patch.object(type(campaign.world), "oldest_unread", lambda self, *_: self.now - 90)
    with late, pytest.raises(PipelineFault):
        campaign.check()
    assert campaign.sent == []

    campaign._note()
    campaign.check()

    assert campaign.sent == [DONE]


def test_no_results_are_sent_of_a_campaign_of_last_week():
    campaign = Campaign()
    campaign.open()
    campaign.world.now += DONE_UNTIL.total_seconds()

    for _ in range(3):
        campaign.check()

    assert campaign.sent == []


def test_a_check_of_an_earlier_release_keeps_what_is_sent_later():
    """It writes the other attributes of the watch log, and no attribute that it does not know."""
    campaign = Campaign()
    campaign.rest(5)
    campaign.check()
    key = ("spring", "watch log")
    assert log_from_item(campaign.table.get(key)).log.later.waiting
    call = campaign.world.dynamo.call

    def earlier(operation, **parameters):
        if operation == "update_item" and parameters["Key"]["part"]["S"] == "watch log":
            text = parameters["UpdateExpression"].replace("later = :later, ", "")
            values = dict(parameters["ExpressionAttributeValues"])
            del values[":later"]
            parameters |= {"UpdateExpression": text, "ExpressionAttributeValues": values}
        return call(operation, **parameters)

    before = log_from_item(campaign.table.get(key)).version
    with patch.object(campaign.world.dynamo, "call", earlier):
        campaign.count(SUMMARY, sends=1200)
        campaign.check()
    assert log_from_item(campaign.table.get(key)).version > before
    for _ in range(6):
        campaign.check()

    assert campaign.sent == BEGAN


def crashed_before(call, start):
    """Return a campaign whose check crashed before one of its calls; None if it has fewer calls."""
    campaign = start()
    world = campaign.world
    world.idle.clear()
    invocation = world.watch()
    for _ in range(call):
        if invocation not in world.running:
            return None
        invocation.step()
    if invocation not in world.running:
        return None
    invocation.crash()
    return campaign


def all_crashes(start):
    """Yield a campaign for each call of a check before which it may crash."""
    return takewhile(lambda one: one is not None, (crashed_before(n, start) for n in count()))


def sent_after(campaign, checks):
    """Return what was sent once further checks are complete."""
    for _ in range(checks):
        campaign.check()
    return campaign.sent


def require_sent_after_a_crash(start, expected, *, checks=3):
    """Require a message, or two if the check crashed before it had stored the result."""
    found = [sent_after(campaign, checks) for campaign in all_crashes(start)]

    assert len(found) > 8
    assert all(set(one) == set(expected) for one in found)
    assert Counter(len(one) for one in found)[2] <= 2


def after_quiet_hours():
    """Return a campaign with a message that has waited, and is sent by the next check."""
    campaign = Campaign()
    campaign.rest(3)
    campaign.check()
    campaign.check()
    assert campaign.sent == []
    campaign.wait(minutes=1)
    return campaign


@pytest.mark.parametrize(
    ("start", "expected"),
    [(Campaign, BEGAN), (after_quiet_hours, BEGAN), (of_yesterday, [DONE])],
)
def test_after_a_crash_at_any_call_a_message_is_sent(start, expected):
    """It is sent twice, with the same id, if the check crashed before it had stored the result."""
    require_sent_after_a_crash(start, expected)


def test_after_a_crash_at_any_call_the_results_of_an_older_campaign_are_sent():
    """They are sent in its next turn if the check crashed before it had stored them."""
    with patch.object(watch, "_CAMPAIGNS", 2):
        require_sent_after_a_crash(older_in_its_turn, [DONE], checks=12)


def test_after_a_crash_at_any_call_an_incident_ends_though_newer_campaigns_begin():
    """The campaign is in the set of those judged before its log says that it is open."""
    found = []
    for campaign in all_crashes(Campaign):
        campaign.leave_the_newest()
        campaign.open()
        for _ in range(14):
            campaign.check()
        log = log_from_item(campaign.table.get(("spring", "watch log")) or {}).log
        assert not log.is_open
        assert campaign.open_campaigns == []
        found.append(set(campaign.sent))

    # Nothing was sent if the check crashed before it had stored the incident.
    assert {frozenset(one) for one in found} == {frozenset(), frozenset(ENDED)}


def test_a_check_recognizes_its_own_write_if_the_response_was_lost():
    """The client repeats the write, whose condition then fails."""
    campaign = Campaign()
    call = campaign.world.dynamo.call

    def repeated(operation, **parameters):
        result = call(operation, **parameters)
        is_log = parameters.get("Key", {}).get("part") == {"S": "watch log"}
        return call(operation, **parameters) if operation == "update_item" and is_log else result

    with patch.object(campaign.world.dynamo, "call", repeated):
        campaign.check()

    assert campaign.sent == BEGAN


def test_a_second_check_does_not_send_what_the_first_one_sends():
    campaign = Campaign()
    world = campaign.world
    checks = [world.watch(), world.watch()]
    while not world.alarms:
        checks[0].step()
    while checks[1] in world.running:
        checks[1].step()
    world.drain()

    assert campaign.sent == BEGAN


CLEAN = ["check", "check", "step", "reach", "send", "finish", "open", "minute"]
CLEAN += ["rest", "day", "newer"]
FAULTS = [*CLEAN, "crash", "crash", "lose", "wait"]


def plans(kinds):
    step = st.tuples(st.sampled_from(kinds), st.integers(0, 70))
    return st.lists(step, min_size=10, max_size=60)


def run(campaign, plan):  # noqa: C901 - one case for each step
    """Perform the steps of a plan, and then complete everything."""
    world = campaign.world
    for step, number in plan:
        running = world.running[number % len(world.running)] if world.running else None
        match step:
            case "check" if len(world.running) < 4:
                world.watch()
            case "step" if running:
                running.step()
            case "reach" if running:
                campaign.reach_the_message(running)
            case "send" if running:
                campaign.send_the_message(running)
            case "finish" if running:
                while running in world.running:
                    running.step()
            case "open" if campaign.has_incident:
                campaign.open()
            case "rest":
                campaign.rest(number % 5 + 1)
            case "day" if number > 35:
                world.drain()
                world.now += 86_400
            case "newer" if number > 35:
                campaign.leave_the_newest()
            case "minute":
                world.drain()
                world.now += 60
            case "crash" if running:
                running.crash()
            case "lose":
                campaign.loses_response = True
            case "wait":
                world.now += number
    campaign.loses_response = False
    world.drain()
    world.raised.clear()
    world.now += HOLD_SECONDS
    campaign.ask(quiet=None)
    campaign.check()
    campaign.open()
    for _ in range(14):
        campaign.check()


def check_the_end(campaign):
    """Check that each incident has begun and ended, and that nothing is left to do."""
    stored = log_from_item(campaign.table.get(("spring", "watch log")))
    incidents = stored.log.incidents.values()
    expected = {
        (one.id, state) for one in incidents if one.sent for state in ("began", "ended")
    } | ({DONE} if stored.log.later.is_reported else set())
    assert set(campaign.sent) == expected
    assert len(campaign.ids) == len(expected)
    assert not stored.log.is_open
    assert campaign.open_campaigns == []
    age = campaign.now - campaign.began
    may_be_done = DONE_AFTER + HOUR / 4 < age < DONE_UNTIL
    if campaign.was_awaited and may_be_done:
        assert stored.log.later.is_reported
    assert (campaign.awaited == []) or age < DONE_AFTER + HOUR / 4
    for one in incidents:
        assert incident_from_item(campaign.table.get(("spring", f"incident#{one.id}"))) == one
        assert one.began_at < one.ended_at


@given(plans(FAULTS))
def test_each_beginning_and_end_is_sent_however_checks_run(plan):
    """Checks run at once, crash, take minutes, and lose responses; a message may be repeated."""
    campaign = Campaign()

    run(campaign, plan)

    event(f"sent twice: {max(campaign.ids.values(), default=0) > 1}")
    check_the_end(campaign)


@given(plans(CLEAN))
def test_checks_at_once_send_each_message_once(plan):
    """Checks run at once, and none crashes, takes minutes, or loses a response."""
    campaign = Campaign()

    run(campaign, plan)

    event(f"messages: {len(campaign.sent)}")
    check_the_end(campaign)
    assert max(campaign.ids.values(), default=1) == 1
