"""At rest, each class is a function of the set of the campaign's facts, however they arrived.

The oracle sums what each email shows about its networks, by its own rules alone, and judges every
email with the sums. The emails share a few networks, so that most classes depend on other emails.
"""

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws.test_crashes import Moments
from support import ses
from support.chaos import chaos
from support.rules import CURRENT, WITHOUT_NETWORKS
from support.sums import require_sums_of_items
from support.world import CONFIG, World

from chalicelib.aws.client import TimeLimit
from chalicelib.facts import networks
from chalicelib.facts.fact import ENGAGEMENTS, FactSettings, facts_of
from chalicelib.facts.forgotten import NOBODY
from chalicelib.facts.networks import Evidence
from chalicelib.facts.rules import RULES_VERSION, judge
from chalicelib.facts.settle import rules_of
from chalicelib.functions import ingest
from chalicelib.ses.parse import parse
from chalicelib.stats.counters import NETWORK, aggregate_from_item, evidence_of, network_part

CAMPAIGN = "spring"
SCANNER, OFFICE = "203.0.113.9", "198.51.100.7"
# Without the milliseconds: an event at one time has one network, however often it is reported.
EARLY, SOON, LATE = "2026-11-23T10:00:30", "2026-11-23T10:04:00", "2026-11-23T11:00:00"
MILLISECONDS = {SCANNER: ".000Z", OFFICE: ".500Z"}
DAY = 24 * 3600
seeds = st.integers(0, 2**32)


def sure_click(message, network=SCANNER):
    """Return a click that the email alone shows to be a bot's, by its time."""
    return ses.a_click(message, at=EARLY + MILLISECONDS[network], address=network)


def quiet_click(message, network=SCANNER):
    """Return a click without an open before, which only the network may show to be a bot's."""
    return ses.a_click(message, at=LATE + MILLISECONDS[network], address=network)


def protecting_open(message):
    """Return an open that shows a person, just before the late click."""
    return ses.an_open(message, at="2026-11-23T10:59:00.000Z", agent=ses.GMAIL_PROXY)


def open_by_browser(message, network=SCANNER):
    """Return an open that is the bot's if the network is a scanner's."""
    return ses.an_open(message, at=SOON + MILLISECONDS[network], address=network)


kinds = st.sampled_from([sure_click, quiet_click, quiet_click, open_by_browser])
messages = st.sampled_from([f"m-{number}" for number in range(5)])
events = st.lists(
    st.one_of(
        st.builds(
            lambda kind, message, network: kind(message, network),
            kinds,
            messages,
            st.sampled_from([SCANNER, SCANNER, OFFICE]),
        ),
        st.builds(protecting_open, messages),
    ),
    min_size=3,
    max_size=14,
)


class HurriedLimit(TimeLimit):
    """The time limit of invocations that are out of time at random moments."""

    def __init__(self, rng):
        self._rng = rng

    @property
    def until(self):
        return float("inf") if self._rng.random() < 0.6 else 0.0

    @until.setter
    def until(self, _):
        pass


class HurriedWorld(World):
    """A world whose jobs settle one email at a time, and often have no time for the next."""

    def __init__(self, seed, **named):
        super().__init__(**named)
        self._rng = random.Random(seed)

    def new_process(self):
        process = super().new_process()
        process.limit = HurriedLimit(self._rng)
        return process


@pytest.fixture(autouse=True)
def _few_emails(monkeypatch):
    """Make a few emails have several pages, and be enough to make a network quiet."""
    monkeypatch.setattr(ingest, "_PAGE", 1)
    monkeypatch.setattr(networks, "_LEAST_QUIET", 2)


def facts_by_email(happened):
    """Return the facts of events, each once, by message id."""
    settings = FactSettings(CONFIG.pseudonym_key)
    found = defaultdict(dict)
    for event in happened:
        for fact in facts_of(parse(ses.raw(event), campaign_tag="campaign"), settings):
            found[fact.message_id][fact.key] = fact
    return {message_id: list(facts.values()) for message_id, facts in found.items()}


def judged(emails):
    """Return the evidence of all emails, and the class of each open and click (the oracle)."""
    sums = defaultdict(Evidence)
    for facts in emails.values():
        for network, bits in judge(facts).networks.items():
            sums[network] = sums[network].plus(bits)
    classes = {
        (message_id, key): (verdict.engager, verdict.reason)
        for message_id, facts in emails.items()
        for key, verdict in judge(facts, sums).verdicts.items()
    }
    return sums, classes


def stored_emails(world):
    """Return the stored facts and state of each email."""
    table = world.new_process().events_table
    return {
        message_id: table.message(message_id)[CAMPAIGN]
        for message_id in world.dynamo.tables["EventsTable"].partitions
    }


def stored_evidence(world):
    """Return the stored evidence by network."""
    return {
        aggregate.part: evidence_of(aggregate.counts)
        for item in world.dynamo.tables["StatsTable"].items()
        if (aggregate := aggregate_from_item(item)).part.startswith(f"{NETWORK}#")
        and aggregate.counts
    }


def require_classes_of_the_set(world, happened):
    """Assert that all stored results are those of the oracle."""
    sums, classes = judged(facts_by_email(happened))
    assert {
        (fact.message_id, fact.key): (fact.engager, fact.reason)
        for message in stored_emails(world).values()
        for fact in message.facts
        if fact.type in ENGAGEMENTS
    } == classes
    assert stored_evidence(world) == {
        network_part(RULES_VERSION, network): evidence
        for network, evidence in sums.items()
        if any(evidence)
    }
    require_sums_of_items(world)


def settle_all(world):
    """Settle all emails once, as a pass of `recount --reclassify`; return the number of changes."""
    world.dynamo.before_call = lambda *_: None
    process = world.new_process()
    changes = sum(
        ingest.settle_message(process.events_table, process.networks, message_id, NOBODY)
        for message_id in list(world.dynamo.tables["EventsTable"].partitions)
    )
    world.dynamo.before_call = lambda *_: world._hold()
    return changes


@given(events, seeds)
def test_classes_are_those_of_the_set_of_the_campaigns_facts(happened, seed):
    """With duplicates, crashes, jobs that run out of time, and readers that are late."""
    rng = random.Random(seed)
    world = HurriedWorld(seed)
    world.arrive(*happened, *rng.choices(happened, k=3))

    chaos(world, seed)

    require_classes_of_the_set(world, happened)
    assert settle_all(world) == 0
    assert world.dead == []


def test_classes_in_this_world_depend_on_other_emails():
    """Otherwise this file would prove nothing."""
    happened = [
        *map(sure_click, ("m-0", "m-1", "m-2")),
        *map(quiet_click, ("m-3", "m-4")),
        open_by_browser("m-4"),
    ]

    emails = facts_by_email(happened)
    _, classes = judged(emails)
    alone = judged({"m-3": emails["m-3"]})[1] | judged({"m-4": emails["m-4"]})[1]

    changed = {key: classes[key] for key in alone if classes[key] != alone[key]}
    assert sorted(changed.values()) == [
        ("machine", "quiet_network"),
        ("machine", "quiet_network"),
        ("machine", "scanner_network"),
    ]


@given(events, events, seeds)
def test_evidence_that_grows_between_rests_reaches_emails_of_before(before, after, seed):
    """Without crashes and repeated batches, after which jobs are sent for good measure."""
    world = HurriedWorld(seed)
    world.arrive(*before)
    chaos(world, seed, crashes=0, repeats=0)
    world.arrive(*after)

    chaos(world, seed + 1, crashes=0, repeats=0)

    require_classes_of_the_set(world, [*before, *after])


@given(events, seeds)
def test_two_ingests_at_a_time_agree_in_any_interleaving(happened, seed):
    """Each event is ingested once, by an invocation of its own, and no later one corrects it."""
    rng = random.Random(seed)
    world = World()
    world.arrive(*happened)
    for one in list(world.queue):
        world.ingest(one)
    while world.running:
        rng.choice(world.running).step()

    world.drain()

    require_classes_of_the_set(world, happened)


@given(events, events, seeds)
def test_an_upgrade_from_rules_without_networks_ends_with_the_evidence_of_all(before, after, seed):
    """The law holds among the emails of the new rules; two passes settle all of them."""
    world = HurriedWorld(seed, releases=(WITHOUT_NETWORKS,))
    world.deployed = WITHOUT_NETWORKS
    world.arrive(*before)
    chaos(world, seed)
    world.releases = (WITHOUT_NETWORKS, CURRENT)
    world.arrive(*after, *before[:2])
    chaos(world, seed + 1)
    upgraded = {
        message_id: message
        for message_id, message in stored_emails(world).items()
        if message.state and rules_of(message.state) == RULES_VERSION
    }
    _, classes = judged({one: message.facts for one, message in upgraded.items()})
    assert {
        (fact.message_id, fact.key): (fact.engager, fact.reason)
        for message in upgraded.values()
        for fact in message.facts
    } == classes

    for _ in range(2):
        settle_all(world)
        world.drain()

    require_classes_of_the_set(world, [*before, *after])
    assert settle_all(world) == 0


# Evidence that grows and turns: the network is unknown, a scanner's, that of people, a scanner's.
TURNS = [
    [open_by_browser("m-0"), quiet_click("m-1")],
    [sure_click("m-2")],
    [quiet_click("m-3"), *map(protecting_open, ("m-3", "m-4")), quiet_click("m-4")],
    [sure_click(f"m-{number}") for number in range(5, 9)],
]
ALL = [event for turn in TURNS for event in turn]


def finish(world, *, besides=None):
    """Run everything else to its end while one invocation is suspended."""
    while True:
        others = [one for one in world.running if one is not besides]
        if others:
            others[0].step()
        elif world.queue:
            world.ingest(*world.queue)
        elif readable := world.readable():
            world.read(readable[0], 1000)
        else:
            return


def store_and_count(world):
    """Ingest the events in the queue and count them; the jobs remain in the queue."""
    world.ingest(*world.queue)
    while world.running:
        world.running[0].step()
    while readable := world.readable():
        world.read(readable[0], 1000)
        while world.running:
            world.running[0].step()


def test_each_turn_of_the_evidence_changes_the_classes_of_emails_of_before():
    world = World()
    seen = set()
    for number, turn in enumerate(TURNS):
        world.arrive(*turn)
        world.drain()
        happened = [event for one in TURNS[: number + 1] for event in one]
        require_classes_of_the_set(world, happened)
        [fact] = stored_emails(world)["m-0"].facts
        seen.add((number, fact.engager))

    assert seen == {(0, "human"), (1, "machine"), (2, "human"), (3, "machine")}


@given(events)
def test_the_classes_are_right_whenever_nothing_is_left_to_do(happened):
    """No batch is repeated, so that each change of the evidence depends on the job it sends."""
    world = World()
    for number, event in enumerate(happened):
        world.arrive(event)
        world.drain()
        require_classes_of_the_set(world, happened[: number + 1])


@pytest.mark.parametrize("turn", range(2, len(TURNS)))
def test_evidence_may_turn_at_any_call_of_a_job(turn):
    """The job is suspended while the next events are stored, counted and settled."""
    calls = 0
    while True:
        world = World()
        for one in TURNS[: turn - 1]:
            world.arrive(*one)
            world.drain()
        world.arrive(*TURNS[turn - 1])
        store_and_count(world)
        job = world.ingest(*world.queue)
        for _ in range(calls):
            if job in world.running:
                job.step()
        if job not in world.running:
            break
        world.arrive(*TURNS[turn])
        finish(world, besides=job)
        world.drain()

        happened = [event for one in TURNS[: turn + 1] for event in one]
        require_classes_of_the_set(world, happened)
        calls += 1
    assert calls > len(stored_emails(world)), "it was suspended at each call"


@pytest.mark.parametrize("turn", range(1, len(TURNS)))
def test_evidence_may_turn_at_any_call_of_an_ingest(turn):
    """The email is new, or has one more event: neither misses a change of the evidence."""
    new = [quiet_click("m-9"), quiet_click("m-1", OFFICE)]
    calls = 0
    while True:
        world = World()
        for one in TURNS[:turn]:
            world.arrive(*one)
            world.drain()
        world.arrive(*new)
        slow = world.ingest(*world.queue)
        for _ in range(calls):
            if slow in world.running:
                slow.step()
        if slow not in world.running:
            break
        world.arrive(*TURNS[turn])
        finish(world, besides=slow)
        world.drain()

        happened = [event for one in TURNS[: turn + 1] for event in one]
        require_classes_of_the_set(world, [*happened, *new])
        calls += 1
    assert calls > len(new), "it was suspended at each call"


def test_a_job_leaves_emails_alone_whose_facts_have_begun_to_expire():
    """Settled from the facts that remain, an email would no longer count as opened."""
    world = World()
    late = ses.an_open("m-0", at=SOON + ".500Z", address=SCANNER)
    world.arrive(protecting_open("m-0"))
    world.drain()
    world.now += 40 * DAY
    world.arrive(late)
    world.drain()
    world.now += 51 * DAY
    stats = world.dynamo.tables["StatsTable"]
    index = [one for one in stats.items() if one["part"]["S"].startswith("email#")]
    assert world.dynamo.expire()
    for entry in index:  # DynamoDB deletes expired items one by one, within days
        stats.put(stats.key(entry), entry)
    before = world.counted()[CAMPAIGN]["summary"]

    world.arrive(sure_click("m-1"), sure_click("m-2"))
    world.drain()

    [fact] = stored_emails(world)["m-0"].facts
    after = world.counted()[CAMPAIGN]["summary"]
    assert (fact.type, fact.engager) == ("Open", "human")
    assert after == before | {
        "clicks": 2,
        "unique_clicks": 2,
        "machine_clicks": 2,
        "security_scanner_clicks": 2,
        "unique_engaged": 3,
        "label_absent": 4,
    }


def run_turns(fatal=None):
    """Run all turns, each a batch, with a crash at one moment or without."""
    world = World()
    moments = Moments(world, fatal)
    for turn in TURNS:
        world.arrive(*turn)
        world.drain()
    return world, moments


_, FOUND = run_turns()
# Of the other writes, test_crashes.py has the crash points.
CRASHES = [
    (number, name)
    for number, name in enumerate(FOUND.names)
    if any(one in name for one in ("network", "job", "email", "queue", "~state", "Click"))
]


def test_every_write_of_networks_is_a_crash_point():
    targets = {" ".join(name.split()[3:]) for _, name in CRASHES if " before " in name}

    assert {"StatsTable network", "StatsTable email", "StatsTable job"} <= targets
    assert {"sending to queue", "EventsTable ~state"} <= targets


@pytest.mark.parametrize("fatal", [n for n, _ in CRASHES], ids=[name for _, name in CRASHES])
def test_a_crash_at_any_write_leaves_no_class_of_earlier_evidence(fatal):
    world, moments = run_turns(fatal)

    assert len(moments.names) > fatal, "the process has crashed at this moment"
    require_classes_of_the_set(world, ALL)
