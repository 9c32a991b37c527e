"""Incidents of campaigns: stored, pushed and sent once, however checks run and end."""

from collections import Counter
from datetime import timedelta
from itertools import count, takewhile
from unittest.mock import patch

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from laws.test_paces import TOPIC, Account, unhooked

from chalicelib.errors import AwsError
from chalicelib.insight.alarms import JUDGED_FOR
from chalicelib.stats.counters import ON_DISK, SUMMARY, provider_part
from chalicelib.stats.incident_item import incident_from_item
from chalicelib.stats.incident_table import HOLD_SECONDS
from chalicelib.stats.watch_log import log_from_item

HOUR = timedelta(hours=1)
BEGAN = [("no_opens", "began")]
ENDED = [*BEGAN, ("no_opens", "ended")]


class Campaign(Account):
    """A campaign with 990 delivered emails and no opens for an hour."""

    def __init__(self):
        super().__init__(earlier=0)
        self.build_directory()
        self.batches = 0
        self.store("spring", self.now - HOUR, buckets=0)
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
        if key[0] == "spring":
            self._lose()

    def _after_send(self, to):
        if to == "alarm topic":
            self._lose()

    def _lose(self):
        if self.loses_response:
            self.loses_response = False
            raise AwsError("RequestTimeout", "no response")

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
            self.process.stats_table.put_read_position(
                *("n-1", "shard-1", str(self.batches)),
                created=int(self.world.now),
                campaigns={"spring"},
            )

    @property
    def sent(self):
        return [(one["kind"], one["state"]) for one in self.world.alarms]

    @property
    def ids(self):
        return Counter(one["deduplication_id"] for one in self.world.alarms)

    @property
    def incidents(self):
        [frame] = self.world.subscribe(TOPIC).frames
        return frame["snapshot"]["incidents"]

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
    assert (incident["kind"], incident["values"]["provider"]) == ("provider_delays", "Microsoft")
    assert campaign.sent == [("provider_delays", "began")]
    assert "Microsoft" in campaign.world.alarms[0]["subject"]


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

    assert campaign.sent == ENDED
    assert "Not watched any longer" in campaign.world.alarms[-1]["text"]
    assert [one["ended_at"] is None for one in campaign.incidents] == [False]


def test_nothing_is_judged_while_ingest_is_paused():
    campaign = Campaign()
    with unhooked(campaign.world):
        campaign.process.stats_table.pause("2026-11-23T21:00:00Z")

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


def crashing_at(call):
    """Crash a check before one of its calls, and complete others; None if it has fewer calls."""
    campaign = Campaign()
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
    for _ in range(3):
        campaign.check()
    assert [one["ended_at"] for one in campaign.incidents] == [None]
    return campaign.sent


def test_after_a_crash_at_any_call_an_incident_is_sent():
    """It is sent twice, with the same id, if the check crashed before it had stored the result."""
    found = list(takewhile(lambda one: one is not None, map(crashing_at, count())))

    assert len(found) > 8
    assert all(set(one) == set(BEGAN) for one in found)
    assert Counter(len(one) for one in found)[2] <= 2


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
            case "open" if campaign.sent:
                campaign.open()
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
    campaign.check()
    campaign.open()
    for _ in range(14):
        campaign.check()


def check_the_end(campaign):
    """Check that each incident has begun and ended, and that nothing is left to do."""
    stored = log_from_item(campaign.table.get(("spring", "watch log")))
    incidents = stored.log.incidents.values()
    expected = {(one.id, state) for one in incidents for state in ("began", "ended")}
    assert set(campaign.sent) == expected
    assert len(campaign.ids) == len(expected)
    assert not stored.log.has_work
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
