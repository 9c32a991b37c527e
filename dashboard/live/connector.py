"""Open WebSocket connections to an installation, with a share link where it requires sign-in."""

from collections.abc import Callable

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from chalicelib.errors import CommandError, InvalidRequest
from dashboard.installation import Installation

# API Gateway closes every connection after two hours.
_LINK_SECONDS = 2 * 3600
_SPARE_SECONDS = 300
_OPEN_SECONDS = 15

_SUBPROTOCOL = Subprotocol("mailpulse.v1")


class Connector:
    """Opens connections that may subscribe to one campaign.

    A stage with sign-in is connected to through a temporary share link, which `close` revokes.
    """

    def __init__(
        self,
        installation: Installation,
        campaign: str,
        *,
        connect: Callable[..., ClientConnection] = connect,
    ) -> None:
        self._installation = installation
        self._campaign = campaign
        self._connect = connect
        self._link_id: str | None = None
        self._token = ""
        self._until = 0

    def open(self) -> ClientConnection:
        """Open a connection.

        Raises:
            CommandError: the stage has no key for share links, or no WebSocket API.
            AwsError, BotoCoreError, ClientError: AWS rejected a request.
            WebSocketException, OSError: the connection failed.
        """
        config = self._installation.config
        protocols, origin = [_SUBPROTOCOL], None
        if config.issuer is not None:
            protocols.append(Subprotocol(f"share.{self._share_token()}"))
            origin = Origin(min(config.allowed_origins))
        return self._connect(
            self._installation.websocket_url,
            origin=origin,
            subprotocols=protocols,
            open_timeout=_OPEN_SECONDS,
            # The protocol has a ping of its own.
            ping_interval=None,
        )

    def close(self) -> None:
        """Revoke the share link.

        Raises:
            AwsError: AWS rejected a request; the link expires within two hours.
        """
        if self._link_id is not None:
            link_id, self._link_id = self._link_id, None
            self._installation.sharing.revoke(link_id)

    def _share_token(self) -> str:
        now = int(self._installation.clock())
        if self._link_id is None or self._until < now + _SPARE_SECONDS:
            if not self._installation.config.share_key:
                raise CommandError(
                    f"stage {self._installation.stage!r} has no key for share links: run `deploy` "
                    "again"
                )
            self.close()
            self._until = now + _LINK_SECONDS
            try:
                link, self._token = self._installation.sharing.make(self._campaign, self._until)
            except InvalidRequest as error:
                raise CommandError(str(error)) from error
            self._link_id = link.id
        return self._token
