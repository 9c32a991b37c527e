"""Create share links, and revoke them together with the connections that they opened."""

from collections.abc import Callable

from msgspec import Struct

from chalicelib.auth.shares import ShareLink, Shares
from chalicelib.errors import ConditionFailed
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.permissions import share_subject
from chalicelib.live.subscriptions import Subscriptions


class Sharing(Struct, frozen=True):
    """Creates and revokes share links.

    Attributes:
        sign: signs a link's token; takes the link's id, its campaign and its expiry in epoch
            seconds.
    """

    shares: Shares
    subscriptions: Subscriptions
    connections: ManagementApi
    sign: Callable[[str, str, int], str]

    def make(self, campaign: str, until: int) -> tuple[ShareLink, str]:
        """Create a link to one campaign's aggregates; return it with its token, not stored."""
        link = self.shares.add(campaign, until)
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
