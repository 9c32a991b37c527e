"""Share links: made, and revoked with all connections that came by them."""

from collections.abc import Callable

from msgspec import Struct

from chalicelib.auth.shares import ShareLink, Shares
from chalicelib.errors import ConditionFailed
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.permissions import share_subject
from chalicelib.live.subscriptions import Subscriptions


class Sharing(Struct, frozen=True):
    """Makes and revokes share links.

    Attributes:
        sign: makes a link's token, of its id, its campaign and its end in epoch seconds.
    """

    shares: Shares
    subscriptions: Subscriptions
    connections: ManagementApi
    sign: Callable[[str, str, int], str]

    def make(self, campaign: str, until: int) -> tuple[ShareLink, str]:
        """Make a link to one campaign's aggregates, and its token; only now can it be had."""
        link = self.shares.add(campaign, until)
        return link, self.sign(link.id, campaign, until)

    def revoke(self, link_id: str) -> bool:
        """End a link and each connection that came by it; tell whether there was such a link.

        Killed half way, it can be done again: the link is forgotten last.
        """
        subject = share_subject(link_id)
        try:
            self.shares.revoke(subject)
        except ConditionFailed:
            return False
        for connection in self.subscriptions.of_share(subject):
            self.subscriptions.forget(connection.id)
            # Its own row, where it was forgotten half before.
            self.subscriptions.leave_share(subject, connection.id)
            self.connections.close(connection.endpoint, connection.id)
        self.shares.remove(subject)
        return True
