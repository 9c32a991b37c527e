"""Which trigger calls what, nothing more."""

from typing import Any

from chalice.app import Chalice, CloudWatchEvent, DynamoDBEvent, Rate, SQSEvent, WebsocketEvent

from chalicelib import config, handlers

app = Chalice(app_name="mailpulse")
app.experimental_feature_flags.update(["WEBSOCKETS"])
triggers = config.triggers()


@app.on_sqs_message(
    queue_arn=triggers.queue_arn,
    batch_size=100,
    maximum_batching_window_in_seconds=1,
    maximum_concurrency=triggers.ingest_concurrency,
)
def ingest(event: SQSEvent) -> dict[str, Any]:
    return handlers.ingest(event.to_dict(), event.context)


@app.on_dynamodb_record(
    stream_arn=triggers.events_stream_arn, batch_size=1000, starting_position="TRIM_HORIZON"
)
def aggregate(event: DynamoDBEvent) -> dict[str, Any]:
    return handlers.aggregate(event.to_dict())


@app.on_dynamodb_record(
    stream_arn=triggers.stats_stream_arn,
    batch_size=config.PUSH_BATCH,
    starting_position="TRIM_HORIZON",
)
def publish(event: DynamoDBEvent) -> None:
    handlers.publish(event.to_dict())


@app.schedule(Rate(1, unit=Rate.MINUTES))
def watch(event: CloudWatchEvent) -> None:
    handlers.watch(event.to_dict())


@app.on_ws_connect()
def connect(event: WebsocketEvent) -> dict[str, Any]:
    return handlers.connect(event.to_dict())


@app.on_ws_message()
def message(event: WebsocketEvent) -> None:
    handlers.message(event.to_dict())


@app.on_ws_disconnect()
def disconnect(event: WebsocketEvent) -> None:
    handlers.disconnect(event.to_dict())


handlers.prepare(config.function())
