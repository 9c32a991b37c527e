"""The Lambda functions of app.py, with their timeouts and memory sizes."""

# Each function with its timeout in seconds and its memory in MB. WebSocket functions may take no
# more than 29 s; a batch of old events changes thousands of aggregates. None needs more than 90 MB
# (bench/memory.py): memory also determines CPU time, and functions that viewers wait for have more
# of it. docs/cost.md has the measurements, and the cost of the sizes.
FUNCTIONS = {
    "ingest": (30, 512),
    "aggregate": (300, 512),
    "publish": (60, 512),
    "publish_visible": (60, 256),
    "watch": (60, 256),
    "websocket_connect": (29, 512),
    "websocket_message": (29, 512),
    "websocket_disconnect": (29, 256),
}
