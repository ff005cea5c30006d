"""Reading of streamed replies."""

import json
from typing import Any


def read_events(stream: str) -> list[dict[str, Any]]:
    """The data of the server-sent events in a text."""
    return [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
