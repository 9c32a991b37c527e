"""Connections and their permissions: campaigns by name prefix, or one shared campaign.

Permissions are enforced for each request and again for each push.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

from msgspec import Struct

from chalicelib.errors import InvalidRequest
from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX, Level, Request, campaign_of

# Actions allowed by a share link: reading aggregates, but no recipient addresses.
_SHARED_ACTIONS = {
    *("subscribe", "unsubscribe", "get", "listTimelines", "compareVariants", "ping", "attend")
}

Right = Literal["alarms", "shares"]
"""A right to change something, which a setting may limit to the members of a group."""

RIGHTS: frozenset[Right] = frozenset({"alarms", "shares"})

# The settings that name the groups.
_GROUPS: Mapping[Right, str] = {
    "alarms": "ALARM_GROUP or, by default, SHARE_GROUP",
    "shares": "SHARE_GROUP",
}

# The actions that require a right, and what they change.
_CHANGES: Mapping[str, tuple[Right, str]] = {
    "setAlarms": ("alarms", "alarms"),
    **dict.fromkeys(("createShare", "listShares", "revokeShare"), ("shares", "share links")),
    "addNote": ("shares", "notes"),
    "removeNote": ("shares", "notes"),
}


class Permissions(Struct, frozen=True):
    """Permissions of a connection, and their expiry.

    Attributes:
        subject: the user's subject as in the token; `share/ID` for a share link.
        until: expiry of the token, in epoch seconds; None if no authentication is required.
        prefixes: name prefixes of the campaigns that it may see; an empty prefix allows all.
        shared: the campaign whose aggregates a share link shows; None for other connections.
        rights: what it may change, of the campaigns that it may see.
        name: how other users recognize this one, such as an email address; empty if unknown.
    """

    subject: str = ""
    until: int | None = None
    prefixes: tuple[str, ...] = ("",)
    shared: str | None = None
    rights: frozenset[Right] = RIGHTS
    name: str = ""

    def can_see(self, campaign: str) -> bool:
        """Return whether a campaign may be seen."""
        if self.shared is not None:
            return campaign == self.shared
        return campaign.startswith(self.prefixes)

    @property
    def sees_everything(self) -> bool:
        """Whether all campaigns may be seen."""
        return self.shared is None and "" in self.prefixes

    def can_subscribe(self, topic: str) -> bool:
        """Return whether a topic may be subscribed to; pushes of the campaign list are filtered."""
        campaign = campaign_of(topic)
        return self.shared is None if campaign is None else self.can_see(campaign)

    def may_set_alarms(self, campaign: str | None) -> bool:
        """Return whether the alarms of a campaign, or for None of all, may be changed."""
        return self._has("alarms") and (
            self.sees_everything if campaign is None else self.can_see(campaign)
        )

    def can_share(self, campaign: str) -> bool:
        """Return whether share links and notes of a campaign may be created and removed."""
        return self._has("shares") and self.can_see(campaign)

    def _has(self, right: Right) -> bool:
        return right in self.rights and self.shared is None

    def has_ended(self, now: float) -> bool:
        """Return whether the token has expired."""
        return self.until is not None and self.until <= now

    def require(self, request: Request) -> None:
        """Raise InvalidRequest unless a request is allowed; lists are filtered instead.

        Raises:
            InvalidRequest: the request is not allowed; the message states what is allowed.
        """
        if self.shared is not None and request.action not in _SHARED_ACTIONS:
            raise self._forbidden(request.action)
        if request.action in _CHANGES:
            self._require_right(*_CHANGES[request.action])
        if request.action == "setAlarms" and not request.campaign and not self.sees_everything:
            raise self._forbidden("the alarms of all campaigns")
        if request.topic and not self.can_subscribe(request.topic):
            raise self._forbidden(request.topic)
        for campaign in filter(None, (request.campaign, *request.campaigns)):
            if not self.can_see(campaign):
                raise self._forbidden(CAMPAIGN_TOPIC_PREFIX + campaign)

    def _require_right(self, right: Right, changed: str) -> None:
        if right not in self.rights:
            raise InvalidRequest(
                "forbidden",
                f"you may not change {changed}: only members of the group in {_GROUPS[right]} may",
            )

    def _forbidden(self, what: str) -> InvalidRequest:
        allowed = (
            f"this share link gives access to {CAMPAIGN_TOPIC_PREFIX}{self.shared}"
            if self.shared is not None
            else "you have access to campaigns whose names begin with "
            + (" or ".join(map(repr, self.prefixes)))
        )
        return InvalidRequest("forbidden", f"no access to {what[:100]!r}: {allowed}")


def share_subject(link_id: str) -> str:
    """Return the subject of a share link's connections."""
    return f"share/{link_id}"


EVERYTHING = Permissions()
"""Permissions if the API requires no authentication."""


class Connection(Struct, frozen=True):
    """A WebSocket connection.

    Attributes:
        id: API Gateway's id of the connection.
        endpoint: API id and stage, such as `a1b2c3/api`.
        connected_at: epoch seconds.
        access: the connection's permissions.
        level: how closely the viewer follows the topic from whose subscription this was read.
        attended_at: when the level last changed, in epoch seconds; 0 if never.
        behind: the mark of a missed push of that topic (Subscriptions.mark_behind), or None.
        on_screen: of the list, the campaigns whose changes to push besides new ones; None for all.
        subscribed_at: when the topic was subscribed to, in epoch seconds.
    """

    id: str
    endpoint: str
    connected_at: int
    access: Permissions = EVERYTHING
    level: Level = "active"
    attended_at: int = 0
    behind: str | None = None
    on_screen: frozenset[str] | None = None
    subscribed_at: int = 0

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> Self:
        """Return the connection of a WebSocket event's `requestContext`.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
        """
        return cls(
            id=context["connectionId"],
            endpoint=f"{context['apiId']}/{context['stage']}",
            connected_at=int(context["connectedAt"]) // 1000,
        )


def prefixes_of(
    groups: Iterable[str], by_group: Mapping[str, tuple[str, ...]] | None
) -> tuple[str, ...]:
    """Return the prefixes of the campaigns that a user with the given groups may see.

    Args:
        groups: the user's groups.
        by_group: prefixes by group; None if groups are not used, and every user sees all campaigns.
    """
    if by_group is None:
        return EVERYTHING.prefixes
    return tuple(sorted({prefix for group in groups for prefix in by_group.get(group, ())}))


def rights_of(groups: Iterable[str], by_right: Mapping[Right, str]) -> frozenset[Right]:
    """Return what a user with the given groups may change.

    Args:
        groups: the user's groups.
        by_right: the group whose members have each right; empty for all users.
    """
    return frozenset(right for right, group in by_right.items() if group in ("", *groups))
