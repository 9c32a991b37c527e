"""Pushes to viewers, with a note of each who missed one."""

from collections.abc import Callable

from chalicelib.errors import AwsError
from chalicelib.live.batches import Push
from chalicelib.live.gateway import SendResult
from chalicelib.live.permissions import Connection
from chalicelib.live.pusher import Pusher
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.log import log

# A row may be seen before its connection's handshake has ended: a 410 then says nothing.
GRACE_SECONDS = 10
# However many connections hang, an invocation must end before the function's time-out of a minute.
PUSH_SECONDS = 20


class Delivery:
    """What one invocation pushes. A push that fails fails nothing else.

    Attributes:
        sent: how many pushes have arrived.
        missed: ids of the connections that did not take one.
    """

    def __init__(
        self, subscriptions: Subscriptions, pusher: Pusher, clock: Callable[[], float]
    ) -> None:
        self.sent = 0
        self.missed: set[str] = set()
        self._subscriptions = subscriptions
        self._pusher = pusher
        self._clock = clock
        self._unnoted: list[AwsError] = []

    def push(self, push: Push, until: float) -> None:
        """Push to each viewer; one that is gone is forgotten, others who miss it marked behind.

        Args:
            push: what is sent to whom.
            until: epoch seconds after which nothing is sent any more: the rest have missed it.
        """
        for frames, connections in push.groups:
            # One that did not take its message is not tried again now: it would cost each topic
            # a time-out, and everybody else waits.
            for connection in [one for one in connections if one.id in self.missed]:
                self._note(connection, push.topic, "failed")
            reachable = [one for one in connections if one.id not in self.missed]
            for connection, outcome in self._pusher.to_all(reachable, frames, until=until):
                if outcome == "sent":
                    self.sent += 1
                else:
                    self.missed.add(connection.id)
                    self._note(connection, push.topic, outcome)

    def end(self) -> None:
        """See that all who missed a push are noted.

        Raises:
            AwsError: one could not be. It may have been the last push: with no note, nothing would
                ever make up for it, so all of it must be pushed again.
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
        except AwsError as error:  # the others must not wait for it
            self._unnoted.append(error)
