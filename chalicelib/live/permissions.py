"""A connection, and what it may see: campaigns by the prefixes of their names, or a shared one.

Enforced twice: for each request, and for each push.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from msgspec import Struct

from chalicelib.errors import InvalidRequest
from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX, Request, campaign_of

# What whoever opens a share link may do: look at the aggregates, and at nobody's address.
_SHARED_ACTIONS = {"subscribe", "unsubscribe", "get", "listTimelines", "ping"}


class Permissions(Struct, frozen=True):
    """What a connection may see, and until when.

    Attributes:
        subject: who it is, as the issuer names them; `share/ID` for a share link.
        until: epoch seconds when its token ends; None where nobody signs in.
        prefixes: of the names of the campaigns that it may see; an empty one is of all.
        shared: the one campaign whose aggregates a share link shows; None for anybody else.
    """

    subject: str = ""
    until: int | None = None
    prefixes: tuple[str, ...] = ("",)
    shared: str | None = None

    def can_see(self, campaign: str) -> bool:
        """Tell whether it may see a campaign."""
        if self.shared is not None:
            return campaign == self.shared
        return campaign.startswith(self.prefixes)

    def can_subscribe(self, topic: str) -> bool:
        """Tell whether it may subscribe to a topic. Of the list, it hears what it may see."""
        campaign = campaign_of(topic)
        return self.shared is None if campaign is None else self.can_see(campaign)

    def has_ended(self, now: float) -> bool:
        """Tell whether its token has ended."""
        return self.until is not None and self.until <= now

    def require(self, request: Request) -> None:
        """See that a request asks for nothing else. Of lists, it is given what it may see.

        Raises:
            InvalidRequest: it does; says what may be asked for.
        """
        if self.shared is not None and request.action not in _SHARED_ACTIONS:
            raise self._forbidden(request.action)
        if request.topic and not self.can_subscribe(request.topic):
            raise self._forbidden(request.topic)
        for campaign in filter(None, (request.campaign, *request.campaigns)):
            if not self.can_see(campaign):
                raise self._forbidden(CAMPAIGN_TOPIC_PREFIX + campaign)

    def _forbidden(self, what: str) -> InvalidRequest:
        allowed = (
            f"this share link shows {CAMPAIGN_TOPIC_PREFIX}{self.shared}"
            if self.shared is not None
            else "you may see campaigns whose names begin with "
            + (" or ".join(map(repr, self.prefixes)))
        )
        return InvalidRequest("forbidden", f"the token does not allow {what[:100]!r}: {allowed}")


def share_subject(link_id: str) -> str:
    """Name whoever uses a share link."""
    return f"share/{link_id}"


EVERYTHING = Permissions()
"""Where nobody signs in."""


class Connection(Struct, frozen=True):
    """A WebSocket connection.

    Attributes:
        id: API Gateway's name of it.
        endpoint: API id and stage, such as `a1b2c3/api`.
        connected_at: epoch seconds.
        access: what it may see.
    """

    id: str
    endpoint: str
    connected_at: int
    access: Permissions = EVERYTHING

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
    """Give the prefixes of the campaigns that members of some groups may see.

    Args:
        groups: of whoever has signed in.
        by_group: what each group may see; None where groups say nothing, and everybody sees all.
    """
    if by_group is None:
        return EVERYTHING.prefixes
    return tuple(sorted({prefix for group in groups for prefix in by_group.get(group, ())}))
