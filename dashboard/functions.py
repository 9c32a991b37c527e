"""The Lambda functions of app.py, and what each is given to run with."""

# Each function with its time-out in seconds and its memory in MB. Nothing on a WebSocket may
# take longer than 29 s; a push holds its shard for the rest of its interval,
# and a batch of old events touches thousands of aggregates. None needs more than 90 MB
# (bench/memory.py): memory also buys processor time, and where somebody waits there is more of it.
# docs/cost.md has the measurements, and what the sizes cost.
FUNCTIONS = {
    "ingest": (30, 512),
    "aggregate": (300, 512),
    "publish": (60, 512),
    "watch": (60, 256),
    "websocket_connect": (29, 512),
    "websocket_message": (29, 512),
    "websocket_disconnect": (29, 256),
}
