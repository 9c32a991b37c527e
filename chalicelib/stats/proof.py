"""The proof of the counters: the result of the last recount that was completed.

A recount of all campaigns and one of a single campaign have an item each, so that neither replaces
the other. A recount that is interrupted writes none.

    campaign     part              at    started  …
    " pipeline"  recount#all       time  time
    " pipeline"  recount#campaign  time  time     of: the campaign
"""

from msgspec import Struct

from chalicelib.dynamodb import Item
from chalicelib.stats.counters import PIPELINE

RECOUNT = "recount#"
"""The prefix of the parts, under the campaign ` pipeline`."""

_NUMBERS = ("campaigns", "expiring", "facts", "counters", "differences", "drift", "restated")


class Proof(Struct, frozen=True):
    """The result of a recount.

    Attributes:
        at: when it was completed, RFC 3339, UTC.
        started: when ingest was paused for it; what was stored until then was compared.
        of: the campaign; None for all.
        campaigns: number of campaigns that were compared.
        expiring: number of campaigns that were not, because facts of them have expired.
        facts: number of facts and states that were read.
        counters: number of counters that were compared.
        differences: number of counters and texts that differed from the facts.
        drift: sum of the differences of the counters, without signs.
        restated: number of aggregates that were corrected; 0 without `--apply`.
        applied: whether differences were corrected.
    """

    at: str
    started: str
    of: str | None
    campaigns: int
    expiring: int
    facts: int
    counters: int
    differences: int
    drift: int
    restated: int
    applied: bool

    @property
    def is_clean(self) -> bool:
        """Whether the counters agreed with the facts, or were corrected."""
        return not self.differences or self.applied


def proof_key(of: str | None) -> Item:
    """Return the key of the proof of a campaign, or of all."""
    part = f"{RECOUNT}{'all' if of is None else 'campaign'}"
    return {"campaign": {"S": PIPELINE}, "part": {"S": part}}


def proof_to_item(proof: Proof) -> Item:
    """Return a proof in DynamoDB JSON."""
    item: Item = {
        **proof_key(proof.of),
        "at": {"S": proof.at},
        "started": {"S": proof.started},
        "applied": {"BOOL": proof.applied},
        **{name: {"N": str(getattr(proof, name))} for name in _NUMBERS},
    }
    if proof.of is not None:
        item["of"] = {"S": proof.of}
    return item


def proof_from_item(item: Item) -> Proof:
    """Parse a proof from DynamoDB JSON; numbers that an earlier release did not write are 0."""
    return Proof(
        at=item["at"]["S"],
        started=item["started"]["S"],
        of=item.get("of", {}).get("S"),
        applied=item["applied"]["BOOL"],
        **{name: int(item.get(name, {"N": "0"})["N"]) for name in _NUMBERS},
    )
