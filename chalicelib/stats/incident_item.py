"""The items of the stats table with a campaign's incidents and the settings of its alarms.

    campaign     part               v        …
    spring       incident#bounces   version  incident: an Incident as JSON
    spring       incident settings           alarms_v (version), alarm_kinds, snooze_until, is_test,
                                             quiet_hours: a QuietHours as JSON, or `none`
    " pipeline"  incident settings           the same, of all campaigns

`watch` writes an incident when it begins, changes or ends. No counter is derived from it. A
snapshot reads the incidents and the settings of a campaign with one query.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from chalicelib.dynamodb import AttributeValue, Item
from chalicelib.stats.incidents import NO_QUIET_HOURS, Incident, Settings, StoredSettings
from chalicelib.stats.quiet_hours import QuietHours

INCIDENT = "incident"
"""The kind of the parts `incident#…`, and the prefix of all parts that snapshots show."""
SETTINGS = f"{INCIDENT} settings"

_incident_decoder = msgspec.json.Decoder(Incident)
_quiet_decoder = msgspec.json.Decoder(QuietHours)
_NONE = AttributeValue()


def incident_part(incident: str) -> str:
    """Return the part of an incident."""
    return f"{INCIDENT}#{incident}"


def incident_from_item(item: Item) -> Incident:
    """Parse an incident from DynamoDB JSON.

    Raises:
        ValueError: the item is not an incident.
    """
    try:
        return _incident_decoder.decode(item["incident"]["S"])
    except (KeyError, msgspec.MsgspecError) as error:
        raise ValueError(f"not an incident: {type(error).__name__}") from error


def incident_to_text(incident: Incident) -> str:
    """Return the attribute `incident` of an item."""
    return msgspec.json.encode(incident).decode()


def settings_from_item(item: Item) -> StoredSettings:
    """Parse settings of alarms from DynamoDB JSON; an empty item has the defaults."""
    kinds = item.get("alarm_kinds", _NONE).get("L")
    return StoredSettings(
        Settings(
            None if kinds is None else tuple(one["S"] for one in kinds),
            item.get("snooze_until", _NONE).get("S"),
            item.get("is_test", _NONE).get("BOOL", False),
            _quiet(item.get("quiet_hours", _NONE).get("S")),
        ),
        int(item.get("alarms_v", {"N": "0"})["N"]),
    )


def _quiet(stored: str | None) -> QuietHours | Literal["none"] | None:
    if stored is None or stored == NO_QUIET_HOURS:
        return NO_QUIET_HOURS if stored else None
    return _quiet_decoder.decode(stored)


_ATTRIBUTES = {
    "kinds": "alarm_kinds",
    "snooze_until": "snooze_until",
    "test": "is_test",
    "quiet": "quiet_hours",
}


def settings_update(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of UpdateItem for a change of settings.

    Args:
        changes: some of `kinds`, `snooze_until`, `test` and `quiet`; None restores the default.
    """
    kept = {name: value for name, value in changes.items() if value is not None}
    removed = [_ATTRIBUTES[name] for name in changes if name not in kept]
    texts = [
        f"SET {', '.join(f'{_ATTRIBUTES[name]} = :{name}' for name in kept)}" if kept else "",
        f"REMOVE {', '.join(removed)}" if removed else "",
        "ADD alarms_v :one",
    ]
    values = {f":{name}": _attribute(value) for name, value in kept.items()}
    return {
        "UpdateExpression": " ".join(filter(None, texts)),
        "ExpressionAttributeValues": {":one": {"N": "1"}, **values},
    }


def _attribute(value: object) -> AttributeValue:
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case QuietHours():
            return {"S": msgspec.json.encode(value).decode()}
        case list() | tuple():
            return {"L": [{"S": one} for one in value]}
    raise ValueError(f"a {type(value).__name__} is not a setting")
