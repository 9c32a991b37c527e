"""What the figures mean: SES's events, as practitioners count them, end to end to a snapshot."""

import json

import pytest
from support import ses
from support.world import World

SPRING = "stats/email-campaign/spring"
UNSUBSCRIBE = "https://news.example.com/unsubscribe/{}"
OFFER = "https://shop.example.com/offer"


def snapshot(*events):
    """Return the snapshot of the campaign after these events."""
    world = World()
    world.arrive(*events)
    world.drain()
    assert world.dead == []
    [frame] = world.subscribe(SPRING).frames
    return frame["snapshot"]


def sends(number):
    return [ses.a_send(f"m-{one}") for one in range(number)]


def deliveries(number):
    return [ses.a_delivery(f"m-{one}") for one in range(number)]


def in_kinds(shown):
    return {kind["subtype"]: kind["count"] for kind in shown["bounces"]}


# Reputation: only what SES holds against the sender.


def test_mail_that_ses_did_not_send_is_no_bounce():
    prevented = [
        *("OnAccountSuppressionList", "OnTenantSuppressionList"),
        *("EmailValidationSuppressed", "UnsubscribedRecipient"),
    ]
    bounces = [
        ses.a_bounce(f"m-{number}", subtype=subtype)
        for number, subtype in enumerate([*prevented, "NoEmail"])
    ]

    shown = snapshot(*sends(10), *bounces)

    assert shown["counts"]["prevented"] == 4
    assert shown["counts"]["hard_bounces"] == 1
    assert shown["rates"]["bounce"] == pytest.approx(1 / 6)
    assert in_kinds(shown) == dict.fromkeys([*prevented, "NoEmail"], 1)


def test_the_global_suppression_list_is_a_hard_bounce_as_ses_counts_it():
    shown = snapshot(*sends(2), ses.a_bounce("m-0", subtype="Suppressed"))

    assert (shown["counts"]["hard_bounces"], shown["counts"]["prevented"]) == (1, 0)
    assert shown["rates"]["bounce"] == 0.5


def test_a_newer_subtype_of_soft_bounces_keeps_its_name():
    shown = snapshot(ses.a_bounce(kind="Transient", subtype="CustomTimeoutExceeded"))

    assert shown["counts"]["soft_bounces"] == 1
    assert in_kinds(shown) == {"CustomTimeoutExceeded": 1}


def test_at_most_forty_kinds_of_bounces_are_named():
    kinds = [chr(ord("A") + one // 26) + chr(ord("a") + one % 26) for one in range(45)]
    bounces = [ses.a_bounce(f"m-{kind}", subtype=kind) for kind in kinds]

    shown = snapshot(*bounces)

    assert len(shown["bounces"]) == 41
    assert in_kinds(shown)["Other"] == 5
    assert sum(in_kinds(shown).values()) == shown["counts"]["hard_bounces"] == 45


def test_an_out_of_office_reply_is_shown_apart_from_soft_bounces():
    reply = ses.a_bounce("m-1", kind="Transient", subtype="General")
    failure = ses.a_bounce("m-2", kind="Transient", subtype="General")
    failure["bounce"]["bouncedRecipients"][0]["status"] = "4.4.7"
    success = ses.a_bounce("m-3", kind="Transient", subtype="General")
    success["bounce"]["bouncedRecipients"][0] |= {"status": "2.0.0", "diagnosticCode": "250 ok"}

    shown = snapshot(reply, failure, success)

    assert in_kinds(shown) == {"AutoReply": 2, "General": 1}


@pytest.mark.parametrize("subtype", ["OnAccountSuppressionList", "OnTenantSuppressionList"])
def test_a_complaint_about_mail_that_ses_did_not_send_is_in_no_rate(subtype):
    complaint = ses.a_complaint("m-0", feedback_type=None, subtype=subtype)

    shown = snapshot(*deliveries(3), complaint)

    assert shown["counts"]["complaints"] == 0
    assert shown["counts"]["complaints_prevented"] == 1
    assert shown["rates"]["complaint"] == 0


def test_a_recipient_who_marks_an_email_as_not_spam_does_not_complain():
    shown = snapshot(*deliveries(3), ses.a_complaint("m-0", feedback_type="not-spam"))

    assert (shown["counts"]["complaints"], shown["counts"]["complaints_not_spam"]) == (0, 1)


def test_a_complaint_that_names_all_recipients_of_a_domain_is_one_complaint():
    to = ["ada@example.com", "bob@example.com", "cyd@example.com"]

    shown = snapshot(ses.a_complaint("m-1", to=to), ses.a_complaint("m-2"))

    assert shown["counts"]["complaints"] == 2


# Ratios that cannot contradict each other.


def test_a_click_proves_a_reader_whose_images_are_off():
    opens = [ses.an_open("m-0"), ses.an_open("m-1")]
    clicks = [ses.a_click(f"m-{one}") for one in range(5)]

    shown = snapshot(*deliveries(5), *opens, *clicks)

    assert shown["counts"]["readers"] == shown["counts"]["unique_engaged"] == 5
    assert shown["rates"]["read"] == 1
    assert shown["rates"]["human_click_to_open"] == shown["rates"]["click_to_open"] == 1


def test_an_open_through_a_privacy_proxy_is_neither_read_nor_unread():
    private = [ses.an_open(f"m-{one}", agent=ses.APPLE_MAIL_PRIVACY) for one in range(3)]
    read = [ses.an_open("m-0"), ses.an_open("m-3")]

    shown = snapshot(*deliveries(10), *private, *read)

    assert shown["counts"]["unique_private_opens"] == 2  # the first one was also opened by a human
    assert shown["rates"]["read"] == 0.2
    assert shown["rates"]["read_observable"] == 0.25


@pytest.mark.parametrize("label", ["Likely", "Unlikely", None])
def test_emails_that_only_apples_proxy_opened_have_an_open_of_its_kind(label):
    private = [ses.an_open(f"m-{n}", agent=ses.APPLE_MAIL_PRIVACY, is_bot=label) for n in range(3)]

    shown = snapshot(*deliveries(3), *private)

    assert shown["counts"]["unique_private_opens"] == 3
    kinds = {name: kind["opens"] for name, kind in shown["bots"]["kinds"].items()}
    assert kinds == dict.fromkeys(kinds, 0) | {"privacy_proxy": 3}


def test_a_rate_without_the_events_of_its_denominator_is_unknown():
    shown = snapshot(ses.a_delivery("m-0"), ses.an_open("m-1"), ses.an_open("m-2"))

    assert shown["rates"]["read"] is None
    assert shown["rates"]["delivery"] is None


def test_opting_out_again_is_no_further_unsubscribe():
    first, again = (
        ses.a_subscription("m-1", opted_out=opted_out, at=f"2026-11-23T11:3{minute}:00.000Z")
        for minute, opted_out in enumerate([False, True])
    )

    shown = snapshot(*deliveries(4), first, again)

    assert shown["counts"]["unsubscribes"] == 1
    assert shown["rates"]["unsubscribe"] == 0.25


# Links.


def test_an_offer_leads_links_that_differ_for_each_recipient():
    offers = [ses.a_click(f"m-{one}", link=OFFER) for one in range(3)]
    later = "2026-11-23T10:07:00.000Z"
    leaving = [ses.a_click(f"m-{one}", link=UNSUBSCRIBE.format(one), at=later) for one in range(5)]

    shown = snapshot(*offers, *leaving)

    offer, unsubscribe = shown["links"]
    assert (offer["url"], offer["kind"], offer["unique_human_clicks"]) == (OFFER, "link", 3)
    assert unsubscribe["kind"] == "unsubscribe"
    assert unsubscribe["unique_human_clicks"] == 5


def test_clicks_on_unsubscribe_links_are_counted_but_are_no_engagement():
    leaving = [ses.a_click(f"m-{one}", link=UNSUBSCRIBE.format(one)) for one in range(4)]
    offer = ses.a_click("m-0", link=OFFER, at="2026-11-23T10:07:00.000Z")

    shown = snapshot(*deliveries(4), *leaving, offer)

    assert shown["counts"]["human_clicks"] == 5
    assert shown["counts"]["unique_human_clicks"] == 1
    assert shown["rates"]["human_click"] == 0.25
    assert shown["counts"]["readers"] == 4


def test_links_with_one_label_are_one_row():
    clicks = [
        ses.a_click(f"m-{one}", link=f"{OFFER}/{one}", tags={"link": ["hero"]}) for one in range(3)
    ]

    shown = snapshot(*clicks)

    [row] = shown["links"]
    assert (row["label"], row["url"], row["clicks"]) == ("hero", f"{OFFER}/0", 3)


@pytest.mark.parametrize(
    "link",
    [
        "https://news.example.com/prefs/jane.doe@example.org/5f3a",
        "https://login.example.com/magic/eyJhbGciOi.abc.def",
        "mailto:jane.doe@example.org?subject=x",
        "https://jane:secret@example.com/",
        "https://example.com/?u=jane.doe%2540example.org&t=0123456789abcdef0123456789abcdef",
    ],
)
def test_no_address_and_no_credential_of_a_link_is_shown(link):
    shown = json.dumps(snapshot(ses.a_click(link=link)))

    for personal in ("jane", "secret", "eyJ", "0123456789abcdef0123456789abcdef"):
        assert personal not in shown


# Text and identity.


def test_encoded_words_of_subject_and_sender_are_decoded():
    send = ses.a_send(subject="=?UTF-8?B?w4l0w6kgw6AgUGFyaXM=?=")
    send["mail"]["source"] = "=?utf-8?Q?Caf=C3=A9_Letters?= <letters@example.com>"

    shown = snapshot(send)

    assert shown["campaign"]["subject"] == "Été à Paris"
    assert shown["campaign"]["sender"] == "Café Letters"


def test_a_subject_missing_from_the_common_headers_is_read_from_the_headers():
    send = ses.a_send(subject=None)
    send["mail"]["headers"] = [{"name": "SUBJECT", "value": "Spring\r\n is =?utf-8?q?h=C3=A9re?="}]

    assert snapshot(send)["campaign"]["subject"] == "Spring is hére"


def test_the_subject_of_personal_emails_is_their_most_frequent_one():
    emails = [ses.a_send(f"m-{one}", subject=f"Ada, no. {one}") for one in range(3)]
    others = [ses.a_send(f"n-{one}", subject="Spring is here") for one in range(2)]

    assert snapshot(*emails, *others)["campaign"]["subject"] == "Spring is here"


@pytest.mark.parametrize(
    "address", ["<ada@example.com>", '"Ada" <ADA@Example.com>', " ada@example.com"]
)
def test_an_address_in_any_form_is_the_same_recipient(address):
    world = World()
    world.arrive(ses.an_open("m-1"), ses.a_bounce("m-1", to=[address]))
    world.drain()
    viewer = world.subscribe()

    viewer.ask("listActivity", id=SPRING)

    [answer] = viewer.frames
    assert len({one["recipient"] for one in answer["results"]}) == 1


def test_a_list_shows_what_the_receiving_server_replied_without_addresses():
    bounce = ses.a_bounce()
    bounce["bounce"]["reportingMTA"] = "dns; a8-70.smtp-out.amazonses.com"
    bounce["bounce"]["bouncedRecipients"][0] |= {
        "status": "5.7.1",
        "diagnosticCode": f"smtp; 550 5.7.1 <ada@example.com> blocked {'x' * 400}",
    }
    world = World()
    world.arrive(bounce)
    world.drain()
    viewer = world.subscribe()

    viewer.ask("listActivity", id=SPRING)

    [entry] = viewer.frames[0]["results"]
    assert (entry["status"], entry["domain"]) == ("5.7.1", "example.com")
    assert entry["diagnostic"].startswith("smtp; 550 5.7.1 <*> blocked")
    assert len(entry["diagnostic"]) == 300
    assert entry["reporting_mta"] == "dns; a8-70.smtp-out.amazonses.com"
