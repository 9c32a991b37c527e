"""The networks of campaigns in the stats table: their evidence, and an index of their emails.

    campaign                        part                    ns nq nb  v  k<hash>  expires  due
    spring                          network#<rules>#<name>  see stats/counters.py
    " network <campaign> <name>"    email#<message id>                            epoch
    " network <campaign> <name>"    job                     sent_by               epoch    epoch

The evidence is an aggregate like any other; only what `ingest` reads of it is read here. An entry
of the index is written before the email is judged with the evidence, so a change of the evidence
that the judgement has not seen finds the email. `job` exists while a job of the network waits in
the queue, unless that job was lost.
"""

import math
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.aws.client import Service
from chalicelib.dynamodb import Item, WriteRequest
from chalicelib.errors import AwsError, ConditionFailed
from chalicelib.facts.items import expiry
from chalicelib.facts.networks import Evidence
from chalicelib.stats.counters import (
    NETWORK_COUNTERS,
    Key,
    aggregate_from_item,
    evidence_of,
    network_part,
)

PARTITION = " network "
_EMAIL = "email#"
_JOB = "job"
_DAY = 24 * 3600
_BATCH_GET = 100
_BATCH_WRITE = 25
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.1
# A job is late by as much in an outage, or if it is in the dead-letter queue. Another one is sent
# then, which is harmless.
_LATE_SECONDS = 3600
# Facts may be deleted as soon as they have expired, while a job settles their email.
_EXPIRING_SECONDS = 3600
# The attributes that the role of ingest may read of the campaigns' items.
_EVIDENCE = ("campaign", "part", *NETWORK_COUNTERS.values())


class Emails(NamedTuple):
    """A page of the emails of a network.

    Attributes:
        message_ids: at most as many as requested.
        following: the message id after which the next page starts; None for the last page.
    """

    message_ids: Sequence[str]
    following: str | None


class Networks:
    """Reads the evidence of networks, and maintains the index of their emails.

    Args:
        dynamo: DynamoDB.
        name: the stats table.
        clock: returns epoch seconds.
        pause: waits for a number of seconds.
    """

    def __init__(
        self,
        dynamo: Service,
        name: str,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamo = dynamo
        self._name = name
        self._clock = clock
        self._pause = pause

    def evidence(
        self, campaign: str, networks: Iterable[str], *, rules: int
    ) -> dict[str, Evidence]:
        """Return the evidence of a campaign's networks by a version of the rules.

        The reads are consistent: a job that reads the evidence after it was sent sees the change
        for which it was sent.

        Raises:
            AwsError: the evidence could not be read.
        """
        names = {network_part(rules, network): network for network in networks}
        keys = [_key((campaign, part)) for part in sorted(names)]
        return {
            names[item["part"]["S"]]: evidence_of(aggregate_from_item(item).counts)
            for start in range(0, len(keys), _BATCH_GET)
            for item in self._read(keys[start : start + _BATCH_GET])
        }

    def _read(self, keys: list[Item]) -> Iterator[Item]:
        for _ in self._attempts():
            response: Mapping[str, Any] = self._dynamo.call(
                "batch_get_item",
                RequestItems={
                    self._name: {
                        "Keys": keys,
                        "ConsistentRead": True,
                        "ProjectionExpression": ", ".join(_EVIDENCE),
                    }
                },
            )
            yield from response["Responses"].get(self._name, [])
            keys = response.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if not keys:
                return
        raise _throttled("evidence was not read")

    def add(
        self, campaign: str, networks: Collection[str], message_id: str, expires: float
    ) -> None:
        """Add an email to the index of its networks; the operation is idempotent.

        Args:
            campaign: the campaign.
            networks: the networks.
            message_id: the email.
            expires: when its first fact expires, in epoch seconds, or infinite. From then on, the
                email is not settled for its networks, because its facts are incomplete.

        Raises:
            AwsError: an entry could not be written.
        """
        requests: list[WriteRequest] = [
            {
                "PutRequest": {
                    "Item": {
                        **_key((_partition(campaign, network), _EMAIL + message_id)),
                        **({"expires": {"N": str(int(expires))}} if expires < math.inf else {}),
                    }
                }
            }
            for network in sorted(networks)
        ]
        for start in range(0, len(requests), _BATCH_WRITE):
            self._write(requests[start : start + _BATCH_WRITE])

    def _write(self, requests: list[WriteRequest]) -> None:
        for _ in self._attempts():
            response = self._dynamo.call("batch_write_item", RequestItems={self._name: requests})
            requests = response.get("UnprocessedItems", {}).get(self._name, [])
            if not requests:
                return
        raise _throttled("entries of the index were not written")

    def emails(self, campaign: str, network: str, after: str, most: int) -> Emails:
        """Return emails of a network, in the order of their message ids; a consistent read.

        Those whose facts expire within the hour are left out.

        Args:
            campaign: the campaign.
            network: the network.
            after: the message id after which to start; empty for the first.
            most: the number of emails to return at most.

        Raises:
            AwsError: the index could not be read.
        """
        partition = _partition(campaign, network)
        start = {"ExclusiveStartKey": _key((partition, _EMAIL + after))} if after else {}
        page = self._dynamo.call(
            "query",
            TableName=self._name,
            KeyConditionExpression="campaign = :network AND begins_with(part, :email)",
            ExpressionAttributeValues={":network": {"S": partition}, ":email": {"S": _EMAIL}},
            ConsistentRead=True,
            Limit=most,
            **start,
        )
        complete_until = self._clock() + _EXPIRING_SECONDS
        found = [
            item["part"]["S"].removeprefix(_EMAIL)
            for item in page["Items"]
            if (expiry(item) or math.inf) > complete_until
        ]
        last = page["LastEvaluatedKey"]["part"]["S"] if "LastEvaluatedKey" in page else None
        return Emails(found, last and last.removeprefix(_EMAIL))

    def request_job(self, campaign: str, network: str, *, due: int, source: str) -> bool:
        """Note that a job of a network is to be sent, unless one waits in the queue.

        Args:
            campaign: the campaign.
            network: the network.
            due: when the job will be visible, in epoch seconds.
            source: identifies the batch that changed the evidence.

        Returns:
            Whether to send it.

        Raises:
            AwsError: the note could not be written.
        """
        try:
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key=_key((_partition(campaign, network), _JOB)),
                UpdateExpression="SET due = :due, sent_by = :sent_by, expires = :expires",
                ConditionExpression="attribute_not_exists(due) OR due < :late",
                ExpressionAttributeValues={
                    ":due": {"N": str(due)},
                    ":sent_by": {"S": source},
                    ":expires": {"N": str(due + _DAY)},
                    ":late": {"N": str(int(self._clock()) - _LATE_SECONDS)},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as error:
            # The response to this very write may have been lost.
            return error.item.get("sent_by") == {"S": source}
        return True

    def begin_job(self, campaign: str, network: str) -> None:
        """Note that a job begins: the next change of the evidence sends another one.

        Raises:
            AwsError: the note could not be removed.
        """
        self._dynamo.call(
            "delete_item", TableName=self._name, Key=_key((_partition(campaign, network), _JOB))
        )

    def _attempts(self) -> Iterator[int]:
        """Yield the numbers of attempts, with a pause before each but the first."""
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(random.uniform(0, _PAUSE_SECONDS * 2**attempt))  # noqa: S311 - jitter
            yield attempt


def _throttled(what: str) -> AwsError:
    return AwsError("ThrottlingException", f"DynamoDB throttles the table: {what}")


def _partition(campaign: str, network: str) -> str:
    return f"{PARTITION}{campaign} {network}"


def _key(key: Key) -> Item:
    return {"campaign": {"S": key[0]}, "part": {"S": key[1]}}
