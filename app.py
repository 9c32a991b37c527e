"""Entry points of the Lambda functions: the trigger of each, and the handler that it calls.

All functions share this file, and imports dominate a cold start. Therefore each handler's module is
imported when it is called, and a Lambda process imports only its own function's module, at startup.
"""

from typing import Any

from chalice.app import Chalice, CloudWatchEvent, DynamoDBEvent, Rate, SQSEvent, WebsocketEvent

from chalicelib import config, functions

app = Chalice(app_name="mailpulse")
app.experimental_feature_flags.update(["WEBSOCKETS"])
triggers = config.triggers()


# Chalice updates the functions in this order. Aggregate comes before ingest, so that it can count
# the items of a new generation (facts/fact.py) before the first one is stored.
@app.on_dynamodb_record(
    stream_arn=triggers.events_stream_arn, batch_size=1000, starting_position="TRIM_HORIZON"
)
def aggregate(event: DynamoDBEvent) -> dict[str, Any]:
    from chalicelib.functions import aggregate

    return aggregate.handler(event.to_dict())


@app.on_sqs_message(
    queue_arn=triggers.queue_arn,
    batch_size=100,
    maximum_batching_window_in_seconds=1,
    maximum_concurrency=triggers.ingest_concurrency,
)
def ingest(event: SQSEvent) -> dict[str, Any]:
    from chalicelib.functions import ingest

    return ingest.handler(event.to_dict(), event.context)


@app.on_dynamodb_record(
    stream_arn=triggers.stats_stream_arn,
    batch_size=1000,
    starting_position="TRIM_HORIZON",
    maximum_batching_window_in_seconds=1,
)
def publish(event: DynamoDBEvent) -> None:
    from chalicelib.functions import publish

    publish.handler(event.to_dict())


# A stream has at most two readers:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
@app.on_dynamodb_record(
    stream_arn=triggers.stats_stream_arn,
    batch_size=1000,
    starting_position="TRIM_HORIZON",
    maximum_batching_window_in_seconds=3,
)
def publish_visible(event: DynamoDBEvent) -> None:
    from chalicelib.functions import publish_visible

    publish_visible.handler(event.to_dict())


@app.schedule(Rate(1, unit=Rate.MINUTES))
def watch(event: CloudWatchEvent) -> None:
    from chalicelib.functions import watch

    watch.handler(event.to_dict())


@app.on_ws_connect()
def connect(event: WebsocketEvent) -> dict[str, Any]:
    from chalicelib.functions import connect

    return connect.handler(event.to_dict())


@app.on_ws_message()
def message(event: WebsocketEvent) -> None:
    from chalicelib.functions import message

    message.handler(event.to_dict())


@app.on_ws_disconnect()
def disconnect(event: WebsocketEvent) -> None:
    from chalicelib.functions import disconnect

    disconnect.handler(event.to_dict())


functions.prepare(config.function())
