"""Structured logs: one JSON object per line, whose members CloudWatch Logs Insights discovers."""

import json
import sys
from typing import Any


def log(event: str, **members: Any) -> None:
    """Log an event and its members, such as `log("ingest", messages=10)`."""
    sys.stdout.write(json.dumps({"event": event, **members}, default=str) + "\n")
