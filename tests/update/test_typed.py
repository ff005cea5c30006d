"""The request, the plan and the state as JSON, as another version reads and writes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from extensions.update.errors import PlatformError
from extensions.update.landing.state import State
from extensions.update.merging.notes import Note
from extensions.update.objects.tree import Entry
from extensions.update.report.plan import (
    ChangedAnswer,
    FileChange,
    Plan,
    Questions,
    ReleaseNotes,
)
from extensions.update.request import Request
from extensions.update.typed import from_json, to_json

PLAN = Plan(
    "v1",
    "v2",
    files=[FileChange("a.toml", "conflict", "shared", "x.y")],
    notes=[Note("claimed", "b.py", "changed")],
    rebuild=["uv.lock"],
    questions=Questions({"new": [1]}, {"web": ChangedAnswer(True, False)}, {"old": None}),
    releases=[ReleaseNotes("2", "notes")],
)
STATE = State(
    "platform",
    "ready",
    "0" * 40,
    Request("update", Path("/project"), Path("/template"), "v2", "address", {"web": "no"}),
    plan=PLAN,
    conflicts={"a.toml": {2: Entry("100644", "1" * 40), 3: Entry("100755", "2" * 40)}},
)


def test_a_state_comes_back_as_it_was() -> None:
    assert from_json(State, json.loads(json.dumps(to_json(STATE)))) == STATE


def test_fields_of_a_newer_version_are_ignored() -> None:
    stored = to_json(STATE) | {"later": 1}
    stored["plan"]["later"] = {}
    stored["plan"]["files"][0]["later"] = []
    assert from_json(State, stored) == STATE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phase", "gone"),
        ("touched", "a"),
        ("full", 1),
        ("plan", []),
        ("conflicts", {"a": {"2": 1}}),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        from_json(State, to_json(STATE) | {field: value})


def test_a_plan_as_the_preview_prints_it() -> None:
    assert to_json(PLAN) == {
        "old": "v1",
        "new": "v2",
        "files": [{"path": "a.toml", "status": "conflict", "zone": "shared", "detail": "x.y"}],
        "notes": [{"kind": "claimed", "path": "b.py", "detail": "changed"}],
        "rebuild": ["uv.lock"],
        "questions": {
            "new": {"new": [1]},
            "changed": {"web": {"old": True, "new": False}},
            "removed": {"old": None},
            "renamed": {},
        },
        "releases": [["2", "notes"]],
    }


@pytest.mark.parametrize(
    ("given", "because"),
    [
        ({"action": "explode", "root": "/a"}, "action"),
        ({"action": "abort"}, "root is missing"),
        ({"action": "update", "root": "/a", "ref": "v1", "source": "b"}, "template is missing"),
        ({"action": "proceed", "root": "/a", "verify": "yes"}, "verify"),
        ({"action": "merge-driver", "root": "/a", "files": ["b"], "path": "c"}, "not 3"),
    ],
)
def test_a_wrong_request_is_refused(given: dict[str, Any], because: str) -> None:
    with pytest.raises(PlatformError, match=because) as refused:
        Request.parse(given)
    assert refused.value.code == 2


def test_a_request_of_a_newer_starter_is_understood() -> None:
    given = {"action": "abort", "root": "/a", "verify": True, "locked": True, "later": 1}
    assert Request.parse(given) == Request("abort", Path("/a"))
