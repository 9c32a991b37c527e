"""Rewrite the pages and texts of the stats table that name a recipient."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.aws.client import Service
from chalicelib.dynamodb import Item
from chalicelib.errors import ConditionFailed
from chalicelib.facts import links
from chalicelib.facts.forgotten import Forgotten, Spellings
from chalicelib.facts.personal import masked_sender
from chalicelib.recipients.pages import decoded, packed, without
from chalicelib.recipients.table import PARTITION
from chalicelib.stats.activity import ACTIVITY, entries_in
from chalicelib.stats.counters import CURRENT_UPDATES, SUMMARY
from dashboard.forget.facts import erased


class ListsPass(Struct):
    """The result of one pass over the stats table.

    Attributes:
        read: number of items read.
        rewritten: number of items that were rewritten, or have to be.
        not_understood: number of pages that could not be read, and stay as they are.
    """

    read: int = 0
    rewritten: int = 0
    not_understood: int = 0


class ListsEraser(Struct, frozen=True):
    """Rewrites pages and texts. Each step is idempotent, and can be repeated at any time.

    Attributes:
        dynamo: DynamoDB.
        name: the stats table.
        spellings: the address.
        writes: whether to write; otherwise items are only counted.
    """

    dynamo: Service
    name: str
    spellings: Spellings
    writes: bool = True

    def run(self, recipient: Forgotten, progress: Callable[[str], None]) -> ListsPass:
        """Read the whole table once, and rewrite what names the recipient.

        Args:
            recipient: the tokens of this recipient alone.
            progress: called with the progress.

        Raises:
            AwsError: the table could not be read or written.
        """
        found = ListsPass()
        for items in self._scan():
            for item in items:
                found.read += 1
                try:
                    changed = self._changed(item, recipient)
                except ValueError:
                    found.not_understood += 1
                    continue
                if changed:
                    found.rewritten += 1
                    if self.writes:
                        self._write(item, changed)
            progress(f"{found.read:,} items read, {found.rewritten:,} with the recipient")
        return found

    def _scan(self) -> Iterator[list[Item]]:
        start: dict[str, Any] = {}
        while True:
            page = self.dynamo.call("scan", TableName=self.name, ConsistentRead=True, **start)
            yield page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _changed(self, item: Item, recipient: Forgotten) -> Mapping[str, Any]:
        """Return the attributes of an item that change; empty if none does.

        Raises:
            ValueError: a page cannot be read.
        """
        if item["campaign"]["S"].startswith(PARTITION):
            sent = decoded(item["page"]["B"])
            new_sent = without(sent, recipient)
            return {} if new_sent == sent else {"page": {"B": packed(new_sent)}}
        part = item["part"]["S"]
        if part.startswith(f"{ACTIVITY}#"):
            entries = entries_in(item)
            new_entries = [erased(one, recipient, self.spellings) for one in entries]
            if new_entries == entries:
                return {}
            return {"packed": {"B": zlib.compress(msgspec.json.encode(new_entries))}}
        # Texts that release 0.1.0 stored unmasked.
        if part == SUMMARY:
            return self._masked(item, "sender", masked_sender)
        return self._masked(item, "url", links.normalised)

    def _masked(self, item: Item, name: str, mask: Callable[[str], str]) -> Mapping[str, Any]:
        text = item.get(name, {}).get("S")
        if text is None or not self.spellings.are_in(text) or mask(text) == text:
            return {}
        versions = ("v", CURRENT_UPDATES) if item["part"]["S"] == SUMMARY else ("v",)
        return {
            name: {"S": mask(text)},
            # Viewers keep the text of the highest version.
            **{one: {"N": str(int(item.get(one, {"N": "0"})["N"]) + 1)} for one in versions},
        }

    def _write(self, item: Item, changed: Mapping[str, Any]) -> None:
        """Write an item unless it has changed meanwhile; the next pass finds it again."""
        conditions = [
            f"#{name} = :old_{name}" if name in item else f"attribute_not_exists(#{name})"
            for name in changed
        ]
        try:
            self.dynamo.call(
                "update_item",
                TableName=self.name,
                Key={name: item[name] for name in ("campaign", "part")},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changed),
                ConditionExpression=" AND ".join(conditions),
                ExpressionAttributeNames={f"#{name}": name for name in changed},
                ExpressionAttributeValues={
                    **{f":{name}": value for name, value in changed.items()},
                    **{f":old_{name}": item[name] for name in changed if name in item},
                },
            )
        except ConditionFailed:
            return
