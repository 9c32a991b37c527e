"""A campaign's list of activity: as the API returns it, and as the stored facts have it."""

from typing import Any

from support.world import World

from chalicelib.facts.fact import Fact
from chalicelib.facts.items import from_item
from chalicelib.live import messages
from chalicelib.stats.activity import is_activity, newest_first


def campaigns(world: World) -> set[str]:
    items = world.dynamo.tables["StatsTable"].items()
    return {item["campaign"]["S"] for item in items if not item["campaign"]["S"].startswith(" ")}


def listed(world: World, campaign: str, limit: int, **filters: Any) -> list[dict[str, Any]]:
    """Request all pages of a campaign's activity by their cursors."""
    viewer = world.subscribe()
    request = {"id": f"stats/email-campaign/{campaign}", "limit": limit, **filters}
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        viewer.ask("listActivity", **request, **more)
        reply = viewer.frames[-1]
        found += reply["results"]
        if "cursor" not in reply:
            return found
        more = {"cursor": reply["cursor"]}


def expected(world: World, campaign: str, **filters: Any) -> list[dict[str, Any]]:
    """Return what the facts of the events table say, newest first."""
    stored = map(from_item, world.dynamo.tables["EventsTable"].items())
    facts = [one for one in stored if isinstance(one, Fact) and one.campaign == campaign]
    entries = [messages.activity(one) for _, one in newest_first(filter(is_activity, facts))]
    return [
        entry
        for entry in entries
        if all(entry.get(name) == wanted for name, wanted in filters.items())
    ]
