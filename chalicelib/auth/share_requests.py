"""Serve the requests that create, list and revoke share links."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from chalicelib.auth.share_links import MAX_LINKS, ShareLink, Sharing
from chalicelib.errors import InvalidRequest
from chalicelib.live.frames import Message
from chalicelib.live.permissions import Permissions
from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX, Request

_DAY_SECONDS = 86400


class ShareRequests(Struct, frozen=True):
    """The actions createShare, listShares and revokeShare.

    Attributes:
        sharing: creates and revokes share links; None if the stage has no key for them.
    """

    sharing: Sharing | None
    clock: Callable[[], float] = time.time

    def answer(self, request: Request, access: Permissions) -> Message:
        """Serve a request of a connection that may share the request's campaign, if it names one.

        Raises:
            InvalidRequest: the stage has no key for share links, the campaign has reached the limit
                of links, or the link to revoke is unknown.
        """
        if self.sharing is None:
            raise InvalidRequest("forbidden", "share links are disabled: SHARE_KEY is not set")
        match request.action:
            case "createShare":
                return self._create(self.sharing, request, access)
            case "listShares":
                return self._list(self.sharing, request)
            case _:
                return self._revoke(self.sharing, request, access)

    def _create(self, sharing: Sharing, request: Request, access: Permissions) -> Message:
        until = int(self.clock()) + request.days * _DAY_SECONDS
        link, token = sharing.make(
            request.campaign, until, created_by=access.name, name=request.name
        )
        return request.reply(id=_topic(link), share=_message(link), token=token)

    def _list(self, sharing: Sharing, request: Request) -> Message:
        links = sorted(sharing.shares.of(request.campaign), key=lambda link: link.until)
        return request.reply(
            id=CAMPAIGN_TOPIC_PREFIX + request.campaign,
            # A campaign has more of an earlier release, which had no limit.
            shares=list(map(_message, links[:MAX_LINKS])),
        )

    def _revoke(self, sharing: Sharing, request: Request, access: Permissions) -> Message:
        link = sharing.shares.find(request.share)
        if link is None or not access.can_share(link.campaign) or not sharing.revoke(link.id):
            raise InvalidRequest(
                "not_found",
                f"there is no share link {request.share!r}: use listShares to see the links of a "
                "campaign",
            )
        return request.reply(id=_topic(link), share=link.id)


def _topic(link: ShareLink) -> str:
    return CAMPAIGN_TOPIC_PREFIX + link.campaign


def _message(link: ShareLink) -> Message:
    return {
        "share": link.id,
        "created_at": _time(link.created_at),
        "expires_at": _time(link.until),
        "created_by": link.created_by or None,
        "name": link.name or None,
    }


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
