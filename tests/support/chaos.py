"""Faults and interleavings that AWS permits, in a random order determined by a seed."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from support.world import Invocation, Lane, World

from chalicelib.functions import publish
from chalicelib.live import batches, large_topics

MOST_STEPS = 4000


def chaos(
    world: World,
    seed: int,
    *,
    crashes: int = 3,
    splits: int = 3,
    repeats: int = 4,
    meanwhile: Sequence[Callable[[], None]] = (),
) -> None:
    """Inject everything that AWS documents until no work remains.

    Messages are ingested in arbitrary batches, concurrently and interleaved at each call; shards
    are read in arbitrary batches, split, and read again by late readers; processes die. Each
    invocation runs one of the world's releases. Each of `meanwhile` is called at a random moment.
    """
    rng = random.Random(seed)
    paces: dict[Invocation, float] = {}
    left = {"crash": crashes, "split": splits, "repeat": repeats}
    moments = [(rng.randint(0, 40 * len(world.queue)), call) for call in meanwhile]
    for step in range(MOST_STEPS):
        _call(moments, step)
        world.deployed = rng.choice(world.releases)
        readable = world.readable()
        if not (world.running or world.queue or readable):
            break
        match rng.choice(["step"] * 12 + ["ingest", "read", "repeat", "split", "crash"]):
            case "step" if world.running:
                _one_of(world.running, paces, rng).step()
            case "ingest" if (ids := world.waiting()) and len(world.running) < 5:
                world.ingest(*rng.sample(ids, rng.randint(1, min(6, len(ids)))))
            case "read" if readable:
                lane = rng.choice(readable)
                world.read(lane, rng.randint(1, min(8, lane.unread)))
            case "repeat" if left["repeat"]:
                left["repeat"] -= _read_again(world, rng)
            case "split" if left["split"]:
                left["split"] -= 1
                lane = rng.choice([one for one in world.lanes() if one.shard.is_open])
                lane.stream.split(lane.shard)
            case "crash" if world.running and left["crash"]:
                left["crash"] -= 1
                rng.choice(world.running).crash()
    _call(moments, MOST_STEPS)
    world.drain()


def _call(moments: list[tuple[int, Callable[[], None]]], step: int) -> None:
    """Call the function that is due, once."""
    for due in [one for one in moments if one[0] <= step]:
        moments.remove(due)
        due[1]()


def _one_of(
    running: list[Invocation], paces: dict[Invocation, float], rng: random.Random
) -> Invocation:
    """Choose the invocation that continues: some are much slower than others."""
    for one in running:
        paces.setdefault(one, rng.choice([1, 1, 0.02]))
    return rng.choices(running, [paces[one] for one in running])[0]


def _read_again(world: World, rng: random.Random) -> bool:
    """Start a late reader on a suffix of the records that a shard's reader has been given."""
    given = [lane for lane in world.lanes() if lane.given]
    if not given:
        return False
    lane: Lane = rng.choice(given)
    start = rng.randint(0, min(lane.read, lane.given - 1))
    world.read_again(lane, start, rng.randint(start + 1, lane.given))
    return True


@contextmanager
def single_viewer_batches() -> Iterator[None]:
    """Make each viewer a batch of its own, sent by a separate invocation."""
    with (
        patch.object(batches, "MOST_VIEWERS", 1),
        patch.object(large_topics, "MOST_VIEWERS", 1),
        patch.object(publish, "FREE_MESSAGES", 0),
    ):
        yield
