"""From events published to SNS to numbers on the WebSocket."""

from support import ses
from support.client import CAMPAIGNS, campaign_topic


def test_counts_of_published_events_are_pushed(dashboard, client):
    topic = campaign_topic("first-numbers")
    assert client.subscribe(topic).counts["sends"] == 0

    messages = [f"first-{number}" for number in range(20)]
    dashboard.publish(*(ses.a_send(message, campaign="first-numbers") for message in messages))
    dashboard.publish(*(ses.a_delivery(message, campaign="first-numbers") for message in messages))

    known = client.wait_for(
        topic, lambda known: known.counts["sends"] == 20 and known.counts["deliveries"] == 20
    )
    assert known.parts["summary"]["rates"]["delivery"] == 1


def test_a_snapshot_merged_with_pushes_equals_a_fresh_snapshot(dashboard, client):
    topic = campaign_topic("merged")
    client.subscribe(topic)
    for number in range(30):
        message = f"merged-{number}"
        dashboard.publish(
            ses.a_send(message, campaign="merged"), ses.a_delivery(message, campaign="merged")
        )

    known = client.wait_for(topic, lambda known: known.counts["deliveries"] == 30)
    client.listen(1)

    assert known.shown == client.snapshot(topic).shown


def test_a_new_campaign_appears_in_the_list(dashboard, client):
    client.subscribe(CAMPAIGNS)

    dashboard.publish(ses.a_send("listed-1", campaign="listed"))

    client.wait_for(CAMPAIGNS, lambda known: ("campaign", "listed") in known.parts)


def test_a_client_without_a_subprotocol_is_accepted(dashboard):
    with dashboard.client(subprotocols=()) as client:
        assert client.request("ping")[0]["action"] == "ping"
