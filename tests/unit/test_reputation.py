"""What bounces and complaints count as, from the event to the snapshot.

Comments name the public reports from which cases are taken.
"""

import pytest
from support import ses
from support.world import World


def counted(*happened):
    """Return the counts, rates and kinds of bounces of a campaign of these events."""
    world = World()
    world.arrive(*happened)
    world.drain()
    assert world.dead == []
    [frame] = world.subscribe("stats/email-campaign/spring").frames
    stats = frame["snapshot"]
    kinds = {(one["type"], one["subtype"]): one["count"] for one in stats["bounces"]}
    return {name: count for name, count in stats["counts"].items() if count}, stats["rates"], kinds


def bounced(*recipients, **described):
    event = ses.a_bounce(**described)
    event["bounce"]["bouncedRecipients"] = list(recipients)
    return event


ADA = {"emailAddress": "ada@example.com"}


# mozilla/fxa-auth-server#1943, Notifuse/notifuse#323, cds-snc/notification-api#1275,
# and values that SES has added since
@pytest.mark.parametrize(
    ("kind", "subtype", "details", "counter", "shown"),
    [
        ("Transient", "General", {}, "", "AutoReply"),
        ("Transient", "General", {"status": "2.0.0"}, "", "AutoReply"),
        ("Transient", "General", {"status": "4.4.7"}, "soft_bounces", "General"),
        ("Transient", "General", {"diagnosticCode": "4.4.7"}, "soft_bounces", "General"),
        ("Transient", "CustomTimeoutExceeded", {}, "soft_bounces", "CustomTimeoutExceeded"),
        ("Permanent", "Suppressed", {}, "hard_bounces", "Suppressed"),
        ("Permanent", "OnTenantSuppressionList", {}, "prevented", "OnTenantSuppressionList"),
        ("Permanent", "UnsubscribedRecipient", {}, "prevented", "UnsubscribedRecipient"),
        ("Transient", "EmailValidationSuppressed", {}, "prevented", "EmailValidationSuppressed"),
        ("Undetermined", "Undetermined", {}, "undetermined_bounces", "Undetermined"),
        ("Permanent", "General ", {}, "hard_bounces", "General "),
        ("Permanent", "<b>x</b>", {}, "hard_bounces", "Other"),
        ("Permanent", "x" * 51, {}, "hard_bounces", "Other"),
        ("Permanent", None, {}, "hard_bounces", "Other"),
        ("Permanent", ["General"], {}, "hard_bounces", "Other"),
        ("Added", "Later", {}, "undetermined_bounces", "Later"),
    ],
)
def test_a_bounce_counts_by_what_ses_holds_against_the_sender(
    kind, subtype, details, counter, shown
):
    counts, _, kinds = counted(bounced(ADA | details, kind=kind, subtype=subtype))

    of_type = kind if kind != "Added" else "Undetermined"
    assert kinds == {(of_type, shown): 1}
    assert counts == {counter or "soft_bounces": 1}


def test_a_report_bounces_only_the_recipients_that_it_names():
    """usesend/useSend#337."""
    to = ["ada@example.com", "bob@example.com", "cyd@example.com"]

    counts, rates, _ = counted(ses.a_send(to=to), bounced(ADA))

    assert (counts["hard_bounces"], rates["bounce"]) == (1, 1 / 3)


def test_a_recipient_in_several_reports_and_spellings_bounces_once():
    spellings = [
        "ada@example.com",
        "ADA@Example.com",
        "<ada@example.com>",
        "rfc822;ada@example.com",
    ]
    reports = [
        bounced({"emailAddress": one}, feedback=f"f-{number}", at=f"2026-11-23T10:0{number}:00Z")
        for number, one in enumerate(spellings)
    ]

    counts, _, _ = counted(ses.a_delay(), *reports, ses.a_send())

    assert counts == {"sends": 1, "delivery_delays": 1, "hard_bounces": 1}


@pytest.mark.parametrize(
    ("feedback_type", "subtype", "counter"),
    [
        ("abuse", None, "complaints"),
        ("virus", None, "complaints"),
        ("added-later", None, "complaints"),
        (None, None, "complaints"),
        ({"odd": 1}, 7, "complaints"),
        ("not-spam", None, "complaints_not_spam"),
        # buttondown/roadmap#1332
        (None, "OnAccountSuppressionList", "complaints_prevented"),
        ("abuse", "OnTenantSuppressionList", "complaints_prevented"),
    ],
)
def test_a_complaint_without_its_delivery_has_a_counter_and_no_rate(
    feedback_type, subtype, counter
):
    counts, rates, _ = counted(ses.a_complaint(feedback_type=feedback_type, subtype=subtype))

    assert counts == {counter: 1}
    assert rates["complaint"] is None


def test_a_complaint_that_names_every_recipient_of_a_domain_is_one_message():
    to = [f"{name}@example.com" for name in ("ada", "bob", "cyd")]

    counts, rates, _ = counted(ses.a_delivery(to=to), ses.a_complaint(to=to))

    assert (counts["complaints"], rates["complaint"]) == (1, 1 / 3)
