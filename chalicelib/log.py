"""One line of JSON for each thing worth knowing; CloudWatch Logs Insights reads its members."""

import json
import sys
from typing import Any


def log(event: str, **members: Any) -> None:
    """Log one happening, such as `log("ingest", messages=10)`."""
    sys.stdout.write(json.dumps({"event": event, **members}, default=str) + "\n")
