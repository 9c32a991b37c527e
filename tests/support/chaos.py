"""What AWS may do to the functions, in any order that a seed gives."""

import random

from support.world import Lane, World

MOST_STEPS = 4000


def chaos(world: World, seed: int, *, crashes: int = 3, splits: int = 3, repeats: int = 4) -> None:
    """Let everything happen that AWS documents until all is done, then whatever is left.

    Messages are ingested in any batches, several at once and interleaved at each call; shards are
    read in any batches, split, and read again by readers that come late; processes end.
    """
    rng = random.Random(seed)
    left = {"crash": crashes, "split": splits, "repeat": repeats}
    for _ in range(MOST_STEPS):
        readable = world.readable()
        if not (world.running or world.queue or readable):
            break
        match rng.choice(["step"] * 12 + ["ingest", "read", "repeat", "split", "crash"]):
            case "step" if world.running:
                rng.choice(world.running).step()
            case "ingest" if world.queue and len(world.running) < 5:
                ids = list(world.queue)
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
    world.drain()


def _read_again(world: World, rng: random.Random) -> bool:
    """Start a reader that comes late, on a suffix of what a shard's reader has been given."""
    given = [lane for lane in world.lanes() if lane.given]
    if not given:
        return False
    lane: Lane = rng.choice(given)
    start = rng.randint(0, min(lane.read, lane.given - 1))
    world.read_again(lane, start, rng.randint(start + 1, lane.given))
    return True
