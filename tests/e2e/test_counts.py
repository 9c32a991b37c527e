"""The counts on the WebSocket equal a naive count of the events exactly."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from support import reference, ses
from support.client import campaign_topic


def counted(topic):
    return {name: count for name, count in topic.counts.items() if count}


def test_every_event_type_in_every_wrapping_counts_once(dashboard, client):
    campaign = "every-type"
    events = [
        build(f"{campaign}-{number}", campaign=campaign)
        for number in range(3)
        for build in (
            ses.a_send,
            ses.a_delivery,
            ses.a_delay,
            ses.a_bounce,
            ses.a_complaint,
            ses.a_reject,
            ses.a_rendering_failure,
            ses.a_subscription,
            ses.an_open,
            ses.a_click,
        )
    ]
    wrapped = [
        wrap(event)
        for event in events
        for wrap in (
            ses.raw,
            lambda event: ses.in_sns_envelope(ses.raw(event)),
            ses.in_eventbridge,
        )
    ]
    random.Random(7).shuffle(wrapped)

    dashboard.publish(ses.VALIDATION, *wrapped)

    expected = reference.counts(events)[campaign]
    client.subscribe(campaign_topic(campaign))
    client.wait_for(campaign_topic(campaign), lambda known: counted(known) == expected)
    dashboard.wait_until_ingested()
    client.listen(1)
    assert counted(client.snapshot(campaign_topic(campaign))) == expected


def test_only_the_invalid_message_of_a_batch_goes_to_the_dead_letter_queue(dashboard, client):
    before = dashboard.dead_letters()
    topic = campaign_topic("beside-poison")

    dashboard.publish(
        ses.a_send("poison-1", campaign="beside-poison"),
        "not JSON",
        json.dumps({"notificationType": "Bounce", "mail": {}, "bounce": {}}),
        ses.VALIDATION,
        ses.a_send("poison-2", campaign="beside-poison"),
    )

    client.subscribe(topic)
    client.wait_for(topic, lambda known: known.counts["sends"] == 2)
    dashboard.wait_until_ingested()
    assert dashboard.dead_letters() == before + 2


def test_ten_thousand_events_are_counted_exactly_and_pushes_are_coalesced(dashboard, client):
    rng = random.Random(11)
    campaigns = [f"flood-{number}" for number in range(5)]
    events = []
    for campaign in campaigns:
        for number in range(700):
            message = f"{campaign}-{number}"
            events += [
                ses.a_send(message, campaign=campaign),
                ses.a_delivery(message, campaign=campaign),
            ]
            if number % 5 < 2:
                events.append(ses.an_open(message, campaign=campaign))
            if number % 10 == 0:
                events.append(ses.a_click(message, campaign=campaign))
    expected = reference.counts(events)
    arriving = events + events[: 10_000 - len(events)]  # the others are duplicates
    assert len(arriving) == 10_000
    rng.shuffle(arriving)
    for campaign in campaigns:
        client.subscribe(campaign_topic(campaign))

    # The client must read in parallel: pushes arrive while events are published.
    with ThreadPoolExecutor(1) as publisher:
        publishing = publisher.submit(dashboard.publish, *arriving)
        for campaign in campaigns:
            client.wait_for(
                campaign_topic(campaign),
                lambda known, campaign=campaign: counted(known) == expected[campaign],
                timeout=240,
            )
        publishing.result()

    client.listen(2)
    for campaign in campaigns:
        topic = campaign_topic(campaign)
        assert client.topics[topic].shown == client.snapshot(topic).shown
        times = [at for at, push in client.pushes if push["id"] == topic]
        assert len(times) < len(arriving) / len(campaigns) / 4, "pushes are coalesced"
        gaps = sorted(later - earlier for earlier, later in pairwise(times))
        assert gaps[len(gaps) // 2] > 0.15, "pushes are about an interval apart"
