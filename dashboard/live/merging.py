"""Merge snapshots and pushes of a campaign: of each part, the data with the highest version."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from chalicelib.errors import CommandError
from chalicelib.stats.counters import RESOLUTIONS, WINDOWS
from chalicelib.stats.tags import MAX_VALUES
from dashboard.figures.campaign import Stats
from dashboard.figures.formats import parse

Part = tuple[str, ...]
_SUMMARY = ("version", "campaign", "counts", "rates", "bots")


class MergedCampaign:
    """A campaign's parts: snapshot frames and pushes may arrive repeatedly and in any order."""

    def __init__(self) -> None:
        self._parts: dict[Part, Mapping[str, Any]] = {}

    @property
    def version(self) -> int:
        """The version of the campaign's counters; -1 before they are known."""
        found = self._parts.get(("summary",))
        return -1 if found is None else found["version"]

    def merge(self, stats: Mapping[str, Any]) -> None:
        """Merge a snapshot, a frame of one, or a push.

        Raises:
            CommandError: it is not of the wire contract that this version knows.
        """
        try:
            if "version" in stats:
                self._keep(("summary",), {name: stats[name] for name in _SUMMARY})
            for resolution, buckets in stats.get("timeline", {}).items():
                for bucket in buckets:
                    self._keep((resolution, bucket["at"]), bucket)
            for link in stats.get("links", ()):
                self._keep(("link", link["id"]), link)
            for variant in stats.get("variants", ()):
                # What the snapshot counts as the rest is not updated by pushes.
                if not variant.get("rest"):
                    self._keep(("variant", variant["tag"], variant["value"]), variant)
            if "pace" in stats:
                self._keep(("pace",), stats["pace"])
            for incident in stats.get("incidents", ()):
                self._keep(("incident", incident["incident"]), incident)
            for bounce in stats.get("bounces", ()):
                self._keep(("bounce", bounce["type"], bounce["subtype"]), bounce)
        except (AttributeError, KeyError, TypeError) as error:
            raise CommandError(
                f"the server sent a message that this version of the command cannot read "
                f"({error!r}): use the version that the stage was deployed with"
            ) from error

    def stats(self) -> Stats:
        """Return the campaign in the shape of a snapshot; `merge` has been called with one."""
        # What the snapshot counts as "other" is not updated by pushes.
        links = [one for one in self._of("link") if one["id"] != "other" and one["clicks"] > 0]
        return {
            **self._parts["summary",],
            "timeline": {resolution: self._buckets(resolution) for resolution in RESOLUTIONS},
            "links": links,
            "bounces": [one for one in self._of("bounce") if one["count"] > 0],
            "variants": self._variants(),
            "incidents": self._incidents(),
            **{name: found for (name, *_), found in self._parts.items() if name == "pace"},
        }

    def _keep(self, part: Part, data: Mapping[str, Any]) -> None:
        version, known = data["version"], self._parts.get(part)
        if known is None or known["version"] <= version:
            self._parts[part] = data

    def _of(self, kind: str) -> list[Mapping[str, Any]]:
        return [data for part, data in self._parts.items() if part[0] == kind]

    def _variants(self) -> list[Mapping[str, Any]]:
        """Return the variants that a snapshot would have: of each tag, the first in text order."""
        by_tag: dict[str, list[Mapping[str, Any]]] = {}
        for one in self._of("variant"):
            by_tag.setdefault(one["tag"], []).append(one)
        return [
            one
            for _, found in sorted(by_tag.items())
            for one in sorted(found, key=lambda variant: variant["value"])[:MAX_VALUES]
        ]

    def _incidents(self) -> list[Mapping[str, Any]]:
        """Return the incidents as a snapshot does: the latest first."""
        by_id = sorted(self._of("incident"), key=lambda one: one["incident"])
        return sorted(by_id, key=lambda one: parse(one["began_at"]), reverse=True)

    def _buckets(self, resolution: str) -> list[Mapping[str, Any]]:
        """Return the buckets that a snapshot would have, oldest first."""
        buckets = sorted(self._of(resolution), key=lambda bucket: bucket["at"])
        if not buckets:
            return []
        newest = parse(buckets[-1]["at"])
        window = WINDOWS[resolution] or timedelta.max
        return [one for one in buckets if newest - parse(one["at"]) < window]
