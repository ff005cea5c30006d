"""JSON for strict clients."""

import orjson
from langgraph.types import Interrupt

from apps.langgraph.src.core.runs.encoding import dumps


def test_what_strict_json_cannot_hold_changes_nothing_beside_it() -> None:
    asked = Interrupt(value="\ud83d", id="1")
    value = {"half": "a\ud83d", "pair": "\ud83d\ude00", "large": 2**70, "nan": float("nan")}
    read = orjson.loads(dumps({**value, "asked": asked}))
    assert read == {
        "half": "a\ufffd",
        "pair": "\U0001f600",
        "large": float(2**70),
        "nan": None,
        "asked": orjson.loads(orjson.dumps(Interrupt(value="\ufffd", id="1"))),
    }
