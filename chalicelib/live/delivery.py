"""Deliver pushes to viewers, and record each viewer that missed one."""

from collections.abc import Callable

from chalicelib.errors import AwsError
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.gateway import SendResult
from chalicelib.live.permissions import Connection
from chalicelib.live.push import Push
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.log import log

# A row may be read before its connection's handshake has ended; a 410 then means nothing.
GRACE_SECONDS = 10
# Sending must end before the function's timeout of a minute, even if many connections hang.
PUSH_SECONDS = 20


class Delivery:
    """The pushes of one invocation. A failed push does not affect the others.

    Attributes:
        sent: number of pushes delivered.
        missed: ids of the connections that a push could not be delivered to.
    """

    def __init__(
        self, subscriptions: Subscriptions, frame_sender: FrameSender, clock: Callable[[], float]
    ) -> None:
        self.sent = 0
        self.missed: set[str] = set()
        self._subscriptions = subscriptions
        self._frame_sender = frame_sender
        self._clock = clock
        self._unnoted: list[AwsError] = []

    def push(self, push: Push, until: float) -> None:
        """Push to each viewer; remove closed connections, mark others that missed it as behind.

        Args:
            push: the frames and their viewers.
            until: deadline in epoch seconds; viewers not reached by then have missed the push.
        """
        for frames, connections in push.groups:
            # Do not retry a connection that missed an earlier push: each topic would wait for
            # another timeout, and delay all other viewers.
            for connection in [one for one in connections if one.id in self.missed]:
                self._note(connection, push.topic, "failed")
            reachable = [one for one in connections if one.id not in self.missed]
            for connection, outcome in self._frame_sender.to_all(reachable, frames, until=until):
                if outcome == "sent":
                    self.sent += 1
                else:
                    self.missed.add(connection.id)
                    self._note(connection, push.topic, outcome)

    def end(self) -> None:
        """Raise an error unless every missed push was recorded.

        Raises:
            AwsError: a missed push could not be recorded. It may have been the topic's last push,
                and without a record the viewer would never catch up, so the caller must retry.
        """
        if self._unnoted:
            raise self._unnoted[0]

    def _note(self, connection: Connection, topic: str, outcome: SendResult) -> None:
        young = self._clock() - connection.connected_at < GRACE_SECONDS
        log("push_missed", topic=topic, connection=connection.id, outcome=outcome)
        try:
            if outcome == "gone" and not young:
                self._subscriptions.forget(connection.id)
            else:
                self._subscriptions.mark_behind(connection.id, topic)
        except AwsError as error:  # raised by end(), after the other viewers were served
            self._unnoted.append(error)
