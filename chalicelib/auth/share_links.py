"""Share links: rows of the subscriptions table, which expire when the link expires.

owner   member       other attributes
shares  share/Zx81…  campaign, created_at, until; name: if it has one; created_by: the name of the
                     user who created it, if a user did; revoked: set while its connections are
                     closed
"""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from chalicelib.aws.client import Service
from chalicelib.dynamodb import AttributeValue, Item
from chalicelib.errors import ConditionFailed, InvalidRequest
from chalicelib.live.permissions import Permissions, share_subject

if TYPE_CHECKING:  # connecting to the page needs neither
    from chalicelib.live.gateway import ManagementApi
    from chalicelib.live.subscriptions import Subscriptions

MAX_LINKS = 50  # per campaign

_SHARES = "shares"


class ShareLink(Struct, frozen=True):
    """A share link; times in epoch seconds.

    Attributes:
        created_by: the name of the user who created it; empty if a command did.
        name: how those who share recognize the link; empty for none. It may be a person's name, so
            it is in no token and no log.
    """

    id: str
    campaign: str
    created_at: int
    until: int
    created_by: str = ""
    name: str = ""


class Shares:
    """The share links in the subscriptions table."""

    def __init__(
        self, dynamo: Service, name: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._dynamo = dynamo
        self._name = name
        self._clock = clock

    def add(self, campaign: str, until: int, *, created_by: str = "", name: str = "") -> ShareLink:
        """Create a share link that expires at `until`."""
        link = ShareLink(
            secrets.token_urlsafe(9), campaign, int(self._clock()), until, created_by, name
        )
        self._dynamo.call(
            "put_item",
            TableName=self._name,
            Item={
                **_key(share_subject(link.id)),
                "campaign": {"S": campaign},
                "created_at": {"N": str(link.created_at)},
                "until": {"N": str(until)},
                "expires": {"N": str(until)},
                **({"created_by": {"S": created_by}} if created_by else {}),
                **({"name": {"S": name}} if name else {}),
            },
        )
        return link

    def all(self) -> Iterator[ShareLink]:
        """Yield the links that have not expired and are not completely revoked."""
        start: dict[str, Any] = {}
        while True:
            page = self._dynamo.call(
                "query",
                TableName=self._name,
                KeyConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": _SHARES}},
                ConsistentRead=True,
                **start,
            )
            yield from filter(self._is_active, map(_link, page["Items"]))
            if "LastEvaluatedKey" not in page:
                return
            start["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def of(self, campaign: str) -> list[ShareLink]:
        """Return the links of one campaign that `all` yields."""
        return [link for link in self.all() if link.campaign == campaign]

    def find(self, link_id: str) -> ShareLink | None:
        """Return a link; None unless `all` yields it."""
        row = self._row(share_subject(link_id))
        link = _link(row) if row else None
        return link if link and self._is_active(link) else None

    def holds(self, access: Permissions) -> bool:
        """Return whether a share link exists, matches its token, and has not been revoked."""
        found = self._row(access.subject)
        return (
            "revoked" not in found
            and found.get("campaign") == {"S": access.shared}
            and found.get("until") == {"N": str(access.until)}
        )

    def revoke(self, subject: str) -> None:
        """Mark a link as revoked, so that it opens no further connections.

        Raises:
            ConditionFailed: the link does not exist.
        """
        self._dynamo.call(
            "update_item",
            TableName=self._name,
            Key=_key(subject),
            UpdateExpression="SET revoked = :now",
            ConditionExpression="attribute_exists(expires)",
            ExpressionAttributeValues={":now": {"N": str(int(self._clock()))}},
        )

    def remove(self, subject: str) -> None:
        """Remove a revoked link, after its connections have been closed."""
        self._dynamo.call("delete_item", TableName=self._name, Key=_key(subject))

    def _row(self, subject: str) -> Item:
        found: Item = self._dynamo.call(
            "get_item", TableName=self._name, Key=_key(subject), ConsistentRead=True
        ).get("Item", {})
        return found

    def _is_active(self, link: ShareLink) -> bool:
        return link.until > self._clock()


class Sharing(Struct, frozen=True):
    """Creates share links, and revokes them together with the connections that they opened.

    Attributes:
        sign: signs a link's token; takes the link's id, its campaign and its expiry in epoch
            seconds.
    """

    shares: Shares
    subscriptions: "Subscriptions"
    connections: "ManagementApi"
    sign: Callable[[str, str, int], str]

    def make(
        self, campaign: str, until: int, *, created_by: str = "", name: str = ""
    ) -> tuple[ShareLink, str]:
        """Create a link to one campaign's aggregates; return it with its token, not stored.

        Raises:
            InvalidRequest: the campaign has reached the limit of links.
        """
        link = self.shares.add(campaign, until, created_by=created_by, name=name)
        # Count after the write, because links may be created concurrently.
        if len(self.shares.of(campaign)) > MAX_LINKS:
            self.shares.remove(share_subject(link.id))
            raise InvalidRequest(
                "rate_limited",
                f"the campaign has reached the limit of {MAX_LINKS} share links: revoke one first",
            )
        return link, self.sign(link.id, campaign, until)

    def revoke(self, link_id: str) -> bool:
        """Revoke a link and close each connection that it opened; return whether it existed.

        An interrupted call can be repeated, because the link is removed last.
        """
        subject = share_subject(link_id)
        try:
            self.shares.revoke(subject)
        except ConditionFailed:
            return False
        for connection in self.subscriptions.of_share(subject):
            self.subscriptions.forget(connection.id)
            # Remove the share row as well, in case an earlier call was interrupted in forget().
            self.subscriptions.leave_share(subject, connection.id)
            self.connections.close(connection.endpoint, connection.id)
        self.shares.remove(subject)
        return True


def _link(row: Item) -> ShareLink:
    return ShareLink(
        row["member"]["S"].removeprefix(share_subject("")),
        row["campaign"]["S"],
        int(row["created_at"]["N"]),
        int(row["until"]["N"]),
        row.get("created_by", AttributeValue()).get("S", ""),
        row.get("name", AttributeValue()).get("S", ""),
    )


def _key(subject: str) -> dict[str, dict[str, str]]:
    return {"owner": {"S": _SHARES}, "member": {"S": subject}}
