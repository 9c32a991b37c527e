"""A viewer is sent only data that it may see at that time, under any interleaving."""

import random
from contextlib import nullcontext

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.chaos import chaos, single_viewer_batches
from support.generate import events
from support.world import CONFIG, START, World

from chalicelib.live.permissions import Permissions
from chalicelib.live.protocol import HEALTH_TOPIC, LIST_TOPIC

TOPICS = ["stats/email-campaign/spring", "stats/email-campaign/autumn", LIST_TOPIC, HEALTH_TOPIC]
CAMPAIGNS = {"spring", "autumn"}
HOUR = 3600
SIGNED_IN = replace(CONFIG, issuer="https://issuer.example.com", client_id="page")
seeds = st.integers(0, 2**32)
accesses = st.builds(
    Permissions,
    st.just("ada"),
    st.sampled_from([int(START) + hours * HOUR for hours in (1, 9)]),
    st.sampled_from([(), ("",), ("spring",), ("autumn",), ("s", "x"), ("spring-",)]),
    st.sampled_from([None, None, "spring", "autumn", "spr"]),
)
topics = st.lists(st.sampled_from(TOPICS), min_size=1, max_size=4, unique=True)


class Guard:
    """Asserts that the viewer of each frame may receive it at this time."""

    def __init__(self, world):
        self.world = world
        self.allowed = {}
        world.after_send = self.look

    def look(self, to):
        if to not in self.world.viewers:
            return  # a message of a queue
        frame, access = self.world.viewers[to].frames[-1], self.allowed[to]
        if "id" not in frame:
            return  # a response without content
        assert not access.has_ended(self.world.now)
        assert access.can_subscribe(frame["id"])
        content = frame.get("snapshot") or frame["changes"]
        named = {entry["id"] for entry in content.get("campaigns", [])}
        named |= set(content.get("untracked") or [])
        assert all(access.can_see(campaign) for campaign in named)


def admitted(world, guard, access, wanted):
    """Return a viewer with rows for all these topics, whether or not it may subscribe to them."""
    viewer = world.subscribe()
    viewer.connection = replace(viewer.connection, access=access)
    guard.allowed[viewer.connection.id] = access
    rows = world.new_process().subscriptions
    rows.admit(viewer.connection)
    for topic in wanted:
        rows.add(viewer.connection, topic)
    return viewer


@given(st.lists(st.tuples(accesses, topics), min_size=1, max_size=5), events, seeds, st.booleans())
def test_no_push_or_ping_reveals_a_hidden_campaign(viewers, happened, seed, in_batches):
    world = World(SIGNED_IN)
    guard = Guard(world)
    found = [admitted(world, guard, access, wanted) for access, wanted in viewers]
    world.arrive(*happened)

    with single_viewer_batches() if in_batches else nullcontext():
        chaos(world, seed, crashes=1)

    for viewer, (access, wanted) in zip(found, viewers, strict=True):
        pushed = {frame["id"] for frame in viewer.frames}
        due = {f"stats/email-campaign/{one}" for one in reported(happened)} & {*wanted}
        assert pushed >= {topic for topic in due if access.can_subscribe(topic)}
        rows = world.new_process().subscriptions
        for topic in wanted:
            rows.mark_behind(viewer.connection.id, topic)
        viewer.frames.clear()
        viewer.ask("ping")
        healed = {frame["id"] for frame in viewer.frames if "id" in frame}
        assert healed == {topic for topic in wanted if access.can_subscribe(topic)}


def reported(happened):
    return {event["mail"]["tags"]["campaign"][0] for event in happened}


@given(
    st.lists(
        st.tuples(st.sampled_from(["renewed", "later", "revoked", "forgotten"]), accesses),
        min_size=1,
        max_size=4,
    ),
    accesses,
    events,
    seeds,
)
def test_after_a_change_of_permissions_a_viewer_is_sent_only_what_they_allow(
    changes, access, happened, seed
):
    """The token is renewed with other groups or expires, the link is revoked, the viewer leaves."""
    rng = random.Random(seed)
    world = World(SIGNED_IN)
    guard = Guard(world)
    parts = world.new_process()
    if access.shared is not None:
        link = parts.shares.add(access.shared, access.until)
        access = replace(access, subject=f"share/{link.id}")
    heard = [topic for topic in TOPICS if access.can_subscribe(topic)]
    viewer = admitted(world, guard, access, heard)
    nothing = Permissions("ada", 0, ())

    for change, other in changes:
        name = viewer.connection.id
        match change:
            case "renewed" if access.shared is None and guard.allowed[name] is not nothing:
                renewed = replace(other, shared=None)
                parts.subscriptions.renew(replace(viewer.connection, access=renewed))
                guard.allowed[name] = renewed
                rows = {topic for topic in TOPICS if parts.subscriptions.subscribers(topic)}
                assert all(renewed.can_subscribe(topic) for topic in rows), "it is the only viewer"
            case "later":
                world.now += rng.choice([1, 2]) * HOUR
            case "revoked" if access.shared is not None:
                parts.sharing.shares.revoke(access.subject)
                for connection in parts.subscriptions.of_share(access.subject):
                    parts.subscriptions.forget(connection.id)
                guard.allowed[name] = nothing
            case "forgotten":
                parts.subscriptions.forget(name)
                guard.allowed[name] = nothing
        world.arrive(*rng.sample(happened, rng.randint(1, len(happened))))
        chaos(world, rng.randint(0, 2**32), crashes=0)
