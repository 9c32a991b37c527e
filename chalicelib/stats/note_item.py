"""The item of the stats table with the notes on the timeline of a campaign.

    campaign     part            …
    spring       incident notes  notes_v (version), notes: {id: a Note} as JSON

The message function writes it. A snapshot reads it with the incidents, with one query.
"""

from typing import Any

import msgspec

from chalicelib.dynamodb import Item
from chalicelib.stats.incident_item import INCIDENT
from chalicelib.stats.notes import Note, Notes, StoredNotes

NOTES = f"{INCIDENT} notes"

_decoder = msgspec.json.Decoder(dict[str, Note])


def notes_from_item(item: Item) -> StoredNotes:
    """Parse the notes of a campaign from DynamoDB JSON; an empty item has none.

    Raises:
        ValueError: the item does not contain notes.
    """
    if not item:
        return StoredNotes({})
    try:
        return StoredNotes(_decoder.decode(item["notes"]["S"]), int(item["notes_v"]["N"]))
    except (KeyError, msgspec.MsgspecError) as error:
        raise ValueError(f"not notes: {type(error).__name__}") from error


def notes_update(notes: Notes, version: int) -> dict[str, Any]:
    """Return the parameters of UpdateItem that replace the notes of a version by others.

    Args:
        notes: the notes to store.
        version: of the notes that were read.
    """
    return {
        "UpdateExpression": "SET notes = :notes, notes_v = :next",
        "ConditionExpression": "notes_v = :v" if version else "attribute_not_exists(notes_v)",
        "ExpressionAttributeValues": {
            ":notes": {"S": msgspec.json.encode(notes).decode()},
            ":next": {"N": str(version + 1)},
            **({":v": {"N": str(version)}} if version else {}),
        },
    }
