"""Authenticate WebSocket connections by their tokens, and determine their permissions.

Without an issuer, as on a local machine, a connection that offers no share link may do everything.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.auth.share_links import Shares
from chalicelib.aws.client import Service
from chalicelib.config import Config
from chalicelib.errors import Forbidden, InvalidRequest, Unauthorized
from chalicelib.live.permissions import EVERYTHING, Connection, Permissions, prefixes_of, rights_of
from chalicelib.live.subscriptions import Subscriptions

if TYPE_CHECKING:
    from chalicelib.auth.share_tokens import ShareTokens
    from chalicelib.auth.tokens import TokenVerifier, Viewer

BEARER = "bearer."
SHARE = "share."


class Authenticator(Struct, frozen=True):
    """Authenticator of connections, used if an issuer or a key for share links is configured.

    Attributes:
        viewer: verifies a token of the issuer and returns its user, or raises Unauthorized.
        shared: verifies a share link's token and returns its permissions, or raises Unauthorized.
    """

    config: Config
    viewer: Callable[[str], "Viewer"]
    shared: Callable[[str], Permissions]
    shares: Shares
    subscriptions: Subscriptions

    def admit(
        self, connection: Connection, offered: Sequence[str], origin: str | None
    ) -> Permissions:
        """Authenticate a new connection, and store its permissions.

        Args:
            connection: the new WebSocket connection.
            offered: the WebSocket subprotocols offered, including one with a token.
            origin: the Origin header of the connecting page.

        Raises:
            Forbidden: the origin is not allowed, the user's groups may see no campaigns, or the
                share link has reached its limit of connections.
            Unauthorized: the token is missing, invalid or revoked.
        """
        if self.config.issuer is not None and origin not in self.config.allowed_origins:
            raise Forbidden("the Origin header is not in ALLOWED_ORIGINS")
        access = self._access(offered)
        if access.shared is not None and not self.subscriptions.has_room(access.subject):
            raise Forbidden("this share link has reached its limit of concurrent viewers")
        self.subscriptions.admit(replace(connection, access=access))
        # Check after the write: a concurrent revocation either finds the row or is seen here.
        if access.shared is not None and not self.shares.holds(access):
            self.subscriptions.forget(connection.id)
            raise Unauthorized("the share link was revoked or does not exist")
        return access

    def access(self, connection_id: str) -> Permissions:
        """Return a connection's current permissions.

        Raises:
            Unauthorized: the share link was revoked, or the connection is unknown.
        """
        access = self.subscriptions.access(connection_id)
        if access is None:
            raise Unauthorized("this connection has lost its permissions: connect with a new token")
        return access

    def renew(self, connection: Connection, token: str) -> None:
        """Extend a connection with a token that expires later.

        Raises:
            InvalidRequest: the token is invalid or does not belong to this connection's user, or
                the connection was opened by a share link.
        """
        if connection.access.shared is not None:
            raise InvalidRequest("forbidden", "a share link cannot be renewed: ask for a new one")
        try:
            access = self._of_issuer(token)
        except Unauthorized as error:
            raise InvalidRequest(
                "forbidden", f"the token was rejected ({error}): sign in again"
            ) from error
        if access.subject != connection.access.subject:
            raise InvalidRequest(
                "forbidden",
                "the token belongs to a different user than this connection: reconnect with "
                "the new token",
            )
        self.subscriptions.renew(replace(connection, access=access))

    def _access(self, offered: Sequence[str]) -> Permissions:
        for protocol in offered:
            if protocol.startswith(BEARER) and self.config.issuer is not None:
                return self._of_issuer(protocol.removeprefix(BEARER))
            if protocol.startswith(SHARE):
                return self.shared(protocol.removeprefix(SHARE))
        if self.config.issuer is None:
            return EVERYTHING
        raise Unauthorized("no token in Sec-WebSocket-Protocol")

    def _of_issuer(self, token: str) -> Permissions:
        viewer = self.viewer(token)
        prefixes = prefixes_of(viewer.groups, self.config.group_prefixes)
        if not prefixes:
            raise Forbidden(f"none of the groups {sorted(viewer.groups)} may see any campaigns")
        rights = rights_of(
            viewer.groups,
            {
                "alarms": self.config.alarm_group or self.config.share_group,
                "shares": self.config.share_group,
            },
        )
        return Permissions(viewer.subject, viewer.until, prefixes, rights=rights, name=viewer.name)


def build(
    config: Config,
    dynamo: Service,
    subscriptions: Subscriptions,
    clock: Callable[[], float],
    *,
    loads_verifier: bool = False,
) -> Authenticator | None:
    """Build the authenticator; return None if there is neither an issuer nor a share key.

    Args:
        config: provides the issuer and the key of share links.
        dynamo: DynamoDB client.
        subscriptions: the subscriptions table.
        clock: returns epoch seconds.
        loads_verifier: whether to import the token verifier now. It imports cryptography, which
            takes most of a cold start; otherwise the first token triggers the import.
    """
    if config.issuer is None and not config.share_key:
        return None
    tokens = cache(partial(_tokens, config, clock))
    share_tokens = cache(partial(_share_tokens, config, clock))
    if loads_verifier and config.issuer is not None:
        tokens()
    return Authenticator(
        config,
        lambda token: tokens().viewer(token),
        lambda token: share_tokens().access(token),
        Shares(dynamo, config.subscriptions_table, clock=clock),
        subscriptions,
    )


def share_signer(config: Config, clock: Callable[[], float]) -> Callable[[str, str, int], str]:
    """Return ShareTokens.sign; its first call imports cryptography."""
    share_tokens = cache(partial(_share_tokens, config, clock))
    return lambda link_id, campaign, until: share_tokens().sign(link_id, campaign, until)


def _tokens(config: Config, clock: Callable[[], float]) -> "TokenVerifier":
    from chalicelib.auth.tokens import TokenVerifier

    return TokenVerifier(
        str(config.issuer), config.client_id, groups_claim=config.groups_claim, clock=clock
    )


def _share_tokens(config: Config, clock: Callable[[], float]) -> "ShareTokens":
    from chalicelib.auth.share_tokens import ShareTokens

    return ShareTokens(config.share_key, clock=clock)
