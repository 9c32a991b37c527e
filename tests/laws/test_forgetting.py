"""Forgetting a recipient changes no number, and leaves nothing stored that names them.

The command works while events are ingested, counted, and delivered again; processes crash. What
stays is the identity of a fact, with a keyed pseudonym: `fact` in the events table, the keys of
`bb` in an email's state, and `fact` in the entries of activity pages.
"""

import json
import random
from contextlib import suppress
from io import StringIO
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console
from support import reference, ses
from support.chaos import chaos
from support.generate import events
from support.parts import Parts
from support.world import CONFIG, World

from chalicelib.facts.fact import pseudonym
from chalicelib.facts.forgotten import Forgotten, spellings
from chalicelib.facts.suppressions import CACHE_SECONDS
from chalicelib.recipients.audience import merge
from chalicelib.recipients.pages import decoded
from chalicelib.stats.activity import entries_in
from dashboard.forget.erasure import Erasure
from dashboard.progress import Reporter
from dashboard.recount.comparison import Facts, differences

ADA = "ada@example.com"
QUIET = Reporter(Console(file=StringIO()))
seeds = st.integers(0, 2**32)
stored_addresses = st.booleans()


def spell(happened, seed):
    """Return the events, with Ada's address in one of several letter cases in each email."""
    spelled = []
    for event in happened:
        rng = random.Random(f"{seed} {event['mail']['messageId']}")
        local = "".join(rng.choice([one.lower(), one.upper()]) for one in "ada")
        spelled.append(json.loads(json.dumps(event).replace(ADA, f"{local}@Example.com")))
    return spelled


def a_world(store_addresses):
    return World(replace(CONFIG, store_addresses=store_addresses))


class Command:
    """The command `forget` as an operator runs it, whose calls the functions' do not wait for."""

    def __init__(self, world):
        self._world = world
        parts = Parts(world.config, clock=lambda: world.now)
        parts.dynamo = world.dynamo
        installation = SimpleNamespace(
            config=world.config,
            clock=lambda: world.now,
            dynamo=world.dynamo,
            events_table=parts.events_table,
            stats_table=parts.stats_table,
            suppressions=parts.suppressions,
        )
        self._erasure = Erasure(installation, spellings(ADA), QUIET, wait_seconds=0)

    def suppress(self):
        self._erasure.suppress()

    def wait(self):
        """Wait until caches have expired and the invocations that used them have ended."""
        while self._world.running:
            self._world.running[0].step()
        self._world.now += CACHE_SECONDS

    def rewrite(self):
        self._erasure.facts()
        self._erasure.lists()


def stored_texts(world):
    """Yield what is stored, without the identities of facts."""
    for item in world.dynamo.tables["EventsTable"].items():
        yield json.dumps({name: of for name, of in item.items() if name not in ("fact", "bb")})
    for item in world.dynamo.tables["StatsTable"].items():
        if "page" in item:
            yield repr(decoded(item["page"]["B"]))
        elif "packed" in item:
            yield repr([replace(one, key="") for one in entries_in(item)])
        else:
            yield repr(item)


def require_forgotten(world):
    hidden = [ADA, pseudonym(ADA, CONFIG.pseudonym_key)]
    for text in stored_texts(world):
        assert not any(one in text.lower() for one in hidden), text


def require_no_difference(world):
    """Assert that a recount would change nothing."""
    parts = world.new_process()
    facts = Facts(parts.suppressions.read())
    for item in world.dynamo.tables["EventsTable"].items():
        facts.add(item)
    for campaign in facts.campaigns():
        aggregates = parts.stats_table.aggregates(campaign)
        wanted = facts.of(campaign, world.now)
        assert list(differences(campaign, wanted, aggregates, world.now)) == []


@given(events, events, stored_addresses, seeds)
def test_forgetting_changes_no_counter_in_any_interleaving(before, after, stores, seed):
    rng = random.Random(seed)
    before, after = spell(before, seed), spell(after, seed)
    world = a_world(stores)
    world.arrive(*before)
    command = Command(world)

    chaos(world, seed, meanwhile=[command.suppress])
    world.arrive(*after, *rng.choices(before, k=3))
    chaos(world, seed + 1, meanwhile=[command.wait])
    command.wait()
    world.arrive(*rng.choices([*before, *after], k=3))
    chaos(world, seed + 2, meanwhile=[command.rewrite])

    assert world.counted() == reference.stats([*before, *after])
    require_forgotten(world)
    require_no_difference(world)
    assert world.dead == []


@given(events, stored_addresses, seeds)
def test_a_replay_and_a_redelivery_do_not_bring_a_recipient_back(happened, stores, seed):
    happened = spell(happened, seed)
    world = a_world(stores)
    world.arrive(*happened)
    chaos(world, seed)
    counted = world.counted()
    command = Command(world)
    command.suppress()
    command.wait()
    command.rewrite()
    world.drain()

    world.arrive(*happened)
    chaos(world, seed)
    for lane in world.lanes():
        if lane.read:
            world.read_again(lane, 0, lane.read)
            world.drain()

    assert world.counted() == counted == reference.stats(happened)
    require_forgotten(world)
    require_no_difference(world)


@given(stored_addresses)
def test_settling_an_email_that_was_read_before_restores_no_name(stores):
    """The third click of a sweep reclassifies all three, which ingest has read by name."""
    clicks = [
        ses.a_click(link=f"https://shop.example/{number}", at=f"2026-11-23T10:09:0{number}.000Z")
        for number in range(3)
    ]
    world = a_world(stores)
    world.arrive(*clicks[:2])
    world.drain()
    command = Command(world)
    command.suppress()
    command.wait()
    called = []

    def hold(operation, _):
        called.append(operation)
        world._hold()

    world.dynamo.before_call = hold
    world.arrive(clicks[2])
    settling = world.ingest(*world.queue)
    while called[-1:] != ["update_item"]:
        settling.step()

    command.rewrite()
    world.drain()

    assert world.counted() == reference.stats(clicks)
    require_forgotten(world)


@given(events, stored_addresses, seeds)
def test_an_interrupted_command_is_completed_by_a_repeated_one(happened, stores, seed):
    rng = random.Random(seed)
    happened = spell(happened, seed)
    world = a_world(stores)
    world.arrive(*happened)
    chaos(world, seed)
    command = Command(world)
    command.suppress()
    command.wait()
    writes = iter(range(rng.randint(0, 12)))

    def interrupt(*_):
        if next(writes, None) is None:
            raise KeyboardInterrupt

    world.dynamo.before_write = interrupt
    with suppress(KeyboardInterrupt):
        command.rewrite()
    world.dynamo.before_write = lambda *_: None
    chaos(world, seed)

    again = Command(world)
    again.rewrite()
    world.drain()

    assert world.counted() == reference.stats(happened)
    require_forgotten(world)
    require_no_difference(world)


def audience(world, campaign):
    process = world.new_process()
    activity = (fact for _, fact in process.stats_table.activity.entries(campaign))
    return merge(process.recipients.sent(campaign), activity).recipients


@given(events, stored_addresses, seeds)
def test_lists_show_the_token_once_per_email_instead_of_the_name(happened, stores, seed):
    world = a_world(stores)
    world.arrive(*spell(happened, seed))
    chaos(world, seed)
    token = Forgotten(CONFIG.pseudonym_key).token(ADA)
    before = {
        campaign: [
            one._replace(name=token)
            if one.name in (ADA, pseudonym(ADA, CONFIG.pseudonym_key))
            else one
            for one in audience(world, campaign)
        ]
        for campaign in ("spring", "autumn")
    }
    command = Command(world)
    command.suppress()
    command.wait()

    command.rewrite()
    world.drain()

    for campaign, expected in before.items():
        assert audience(world, campaign) == sorted(expected, key=lambda one: one[:2])
