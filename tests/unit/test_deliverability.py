"""Counters by mailbox provider and by class of SMTP replies: stored, counted and shown."""

import json
from datetime import UTC, datetime

import pytest
from support import ses

from chalicelib.facts.fact import FactSettings, facts_of
from chalicelib.facts.forgotten import NOBODY
from chalicelib.facts.items import from_item, to_item
from chalicelib.facts.settle import settle
from chalicelib.facts.state import State
from chalicelib.live.messages import campaign_snapshot, campaign_stats, seen
from chalicelib.live.permissions import EVERYTHING, Permissions
from chalicelib.ses.parse import parse
from chalicelib.stats.contributions import contributions
from chalicelib.stats.counters import (
    Aggregate,
    aggregate_from_item,
    counter_at,
    kept_until,
    provider_part,
    reply_part,
    undelivered_part,
)
from chalicelib.stats.grouping import group
from chalicelib.stats.update import PendingUpdate, plan, restatement, sums

AT = "2026-11-23T10:00:00.000Z"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KINDS = ("provider#", "reply#", "undelivered#")


def facts(event, isp=None):
    if isp:
        event["mail"]["tags"]["ses:recipient-isp"] = [isp]
    return facts_of(parse(json.dumps(event), campaign_tag="campaign"), FactSettings("k"))


def counted(*stored):
    """Return the increments of the items of providers and replies."""
    found = {}
    for one in stored:
        for keys, counts, _ in contributions(one):
            for _, part in keys:
                for name, count in counts.items():
                    if part.startswith(KINDS):
                        items = found.setdefault(part, {})
                        items[name] = items.get(name, 0) + count
    return found


@pytest.mark.parametrize(
    ("to", "isp", "provider"),
    [
        (["ada@gmail.com"], None, "Gmail"),
        (["ada@gmail.com"], "Yahoo", "Gmail"),
        (["ada@example.com"], "Yahoo", "Yahoo"),
        (["ada@example.com"], "UNKNOWN_ISP", "other"),
        (["ada@gmail.com", "bob@googlemail.com"], None, "Gmail"),
        (["ada@gmail.com", "bob@gmx.de"], None, "other"),
        (["ada@example.com", "bob@example.net"], "Gmail", "other"),
    ],
)
def test_a_fact_has_the_provider_that_its_addresses_share(to, isp, provider):
    [opened] = facts(ses.an_open(to=to), isp)
    [sent] = facts(ses.a_send(to=to), isp)

    assert opened.provider == sent.provider == provider
    assert from_item(to_item(sent, 1)) == sent


def test_a_tag_says_nothing_about_one_recipient_of_an_email_to_several():
    event = ses.a_delivery(to=["ada@example.com"])
    event["mail"]["destination"] = ["ada@example.com", "bob@example.com"]

    [delivered] = facts(event, "Gmail")

    assert delivered.provider == "other"


def test_a_send_to_several_providers_counts_each_address_at_its_own():
    to = ["ada@gmail.com", "bob@gmx.de", "cyd@gmail.com", "dan@example.com"]

    [sent] = facts(ses.a_send(to=to))

    assert counted(sent) == {
        "provider#Gmail": {"sends": 2},
        "provider#GMX and WEB.DE": {"sends": 1},
        "provider#other": {"sends": 1},
    }


def test_delays_and_soft_bounces_count_at_a_provider_in_a_minute_and_by_reply():
    reply = {"status": "4.2.2", "diagnosticCode": "smtp; 452 4.2.2 <ada@gmail.com> Mailbox full"}
    [delayed] = facts(ses.a_delay(to="ada@gmail.com", reply=reply))
    [bounced] = facts(
        ses.a_bounce(
            to=["ada@gmail.com"], kind="Transient", subtype="MailboxFull", reply=reply, at=AT
        )
    )

    assert delayed.reply == bounced.reply
    assert counted(delayed, bounced) == {
        "provider#Gmail": {"delivery_delays": 1, "soft_bounces": 1},
        "undelivered#2026-11-23T10:10": {"delivery_delays@Gmail": 1},
        "undelivered#2026-11-23T10:00": {"bounces@Gmail": 1},
        reply_part(delayed.reply): {"replies@Gmail": 2},
    }


def test_prevented_bounces_are_not_undelivered_and_automatic_replies_have_no_reply():
    [prevented] = facts(ses.a_bounce(subtype="OnAccountSuppressionList"))
    [away] = facts(ses.a_bounce(kind="Transient", subtype="General"))

    state = settle([prevented], None).state

    assert counted(state) == {"provider#other": {"prevented": 1}}
    assert away.reply is None


def test_bounces_and_complaints_count_at_the_provider_of_the_recipient():
    to = ["ada@gmail.com", "bob@gmx.de"]
    found = [
        *facts(ses.an_open(to=to, at="2026-11-23T10:30:00.000Z")),
        *facts(ses.a_bounce(to=["ada@gmail.com"], at=AT)),
        *facts(ses.a_complaint(to=["bob@gmx.de"])),
    ]

    state = settle(found, None).state

    assert from_item(to_item(state, 1)) == state
    assert counted(state) == {
        "provider#other": {"unique_human_opens": 1},
        "provider#Gmail": {"hard_bounces": 1},
        "provider#GMX and WEB.DE": {"complaints": 1},
        "undelivered#2026-11-23T10:00": {"bounces@Gmail": 1},
    }


def test_what_was_stored_without_a_provider_counts_at_none():
    """Where it was counted, nothing was added: a later change subtracts nothing either."""
    [sent] = facts(ses.a_send())
    item = {name: value for name, value in to_item(sent, 1).items() if name != "mp"}
    change = {"SequenceNumber": "1", "ApproximateCreationDateTime": 1_800_000_000}
    record = {
        "eventName": "MODIFY",
        "dynamodb": {**change, "OldImage": item, "NewImage": to_item(sent, 1)},
    }

    assert counted(from_item(item)) == {}
    assert (
        counted(State("m-1", "spring", 1, human_opened_at=AT, complaints={"complaints": AT})) == {}
    )
    pending = group([record], NOBODY).pending["spring", "provider#other"]
    assert sums(pending.changes) == {"sends": 1}


@pytest.mark.parametrize("name", ["", "a#b", "a@b", "a\nb", "x" * 51])
def test_a_provider_whose_name_cannot_be_part_of_a_counter_is_malformed(name):
    [sent] = facts(ses.a_send())

    with pytest.raises(ValueError, match="neither a fact nor a state"):
        from_item(to_item(sent, 1) | {"mp": {"S": name}})


def test_a_provider_of_another_table_is_counted_by_its_name():
    """Releases with different tables count the same item equally."""
    [delayed] = facts(ses.a_delay())
    stored = from_item(to_item(delayed, 1) | {"mp": {"S": "New Mail & Co."}})
    update = plan(
        group(
            [
                {
                    "eventName": "INSERT",
                    "dynamodb": {
                        "SequenceNumber": "1",
                        "ApproximateCreationDateTime": kept_until(undelivered_part(AT)) - 60,
                        "NewImage": to_item(stored, 1),
                    },
                }
            ],
            NOBODY,
        ).pending["spring", undelivered_part(delayed.at)],
        {},
        part=undelivered_part(delayed.at),
        attribute="k1",
        now=1,
    )

    assert "dd@New Mail & Co." in update["ExpressionAttributeNames"].values()
    assert all(name[1:].isidentifier() for name in update["ExpressionAttributeNames"])


def test_a_restated_item_loses_the_providers_that_no_fact_has():
    item = {"campaign": {"S": "spring"}, "part": {"S": "reply#1"}, "r@Gmail": {"N": "3"}}
    stored = aggregate_from_item(item)

    update = restatement(
        PendingUpdate().over(stored.counts), part="reply#1", version=3, positions={}, now=1
    )

    assert stored.counts == {"replies@Gmail": 3}
    removed = update["UpdateExpression"].partition("REMOVE ")[2].split()
    names = update["ExpressionAttributeNames"]
    assert "r@Gmail" in {names.get(one.strip(",")) for one in removed}


def test_the_minutes_of_delays_and_bounces_expire_as_minutes_do():
    assert kept_until(undelivered_part(AT)) == kept_until("minute#2026-11-23T10:00")


def aggregate(part, version=1, reply=None, **counts):
    return Aggregate("spring", part, version=version, counts=counts, reply=reply)


def reply_of(text, **providers):
    counts = {counter_at("replies", name): count for name, count in providers.items()}
    return aggregate(reply_part(text), reply=text, **counts)


def test_a_snapshot_has_the_providers_with_the_most_sends_first():
    parts = [
        aggregate(provider_part("other"), sends=3, hard_bounces=1),
        aggregate(provider_part("Gmail"), version=7, sends=9, unique_human_clicks=2),
    ]

    rows = campaign_snapshot("spring", None, parts, NOW)["providers"]

    assert [one["provider"] for one in rows] == ["Gmail", "other"]
    assert rows[0]["version"] == 7
    assert (rows[0]["sends"], rows[0]["complaints"], rows[0]["unique_human_clicks"]) == (9, 0, 2)


def test_the_most_frequent_replies_come_first_with_their_cause():
    parts = [
        reply_of("5.1.1 User unknown", Gmail=2, other=1),
        reply_of("4.7.0 [TSS04] Messages from * temporarily deferred", Yahoo=8),
        reply_of(" Goodbye", other=1),
        *(reply_of(f"5.0.{number} Unknown", other=0) for number in range(3)),
    ]

    rows = campaign_snapshot("spring", None, parts, NOW)["replies"]

    assert [(one["status"], one["count"], one["cause"]) for one in rows] == [
        ("4.7.0", 8, "complaints"),
        ("5.1.1", 3, "no_mailbox"),
        ("", 1, None),
    ]
    assert list(rows[1]["providers"].items()) == [("Gmail", 2), ("other", 1)]


def test_a_rule_of_one_provider_explains_a_reply_that_it_has_sent_most_often():
    text = "554 IP=* - A problem occurred. Ask your postmaster"

    [mostly] = campaign_stats([reply_of(text, **{"T-Online": 2, "other": 1})])["replies"]
    [rarely] = campaign_stats([reply_of(text, **{"T-Online": 1, "other": 2})])["replies"]

    assert mostly["cause"] == "address_blocked"
    assert rarely["cause"] != "address_blocked"


def test_at_most_20_replies_are_shown():
    parts = [reply_of(f"5.1.{number} Unknown", other=number + 1) for number in range(30)]

    rows = campaign_stats(parts)["replies"]

    assert [one["count"] for one in rows] == list(range(30, 10, -1))


def test_the_minutes_of_delays_and_bounces_are_the_15_up_to_the_last_one():
    parts = [
        aggregate(undelivered_part(f"2026-11-23T10:{minute:02}"), **{"bounces@Gmail": minute + 1})
        for minute in (0, 14, 15, 29)
    ]

    rows = campaign_snapshot("spring", None, parts, NOW)["undelivered"]

    assert [one["at"][14:16] for one in rows] == ["15", "29"]
    assert rows[0]["providers"] == {"Gmail": {"delivery_delays": 0, "bounces": 16}}


def test_a_share_link_shows_providers_but_no_replies():
    changes = campaign_stats(
        [reply_of("5.1.1 User unknown", other=9), aggregate(provider_part("other"), sends=9)]
    )

    shared = seen(changes, Permissions(shared="spring"))

    assert shared.keys() == {"$type", "providers"}
    assert seen(changes, EVERYTHING) == changes
