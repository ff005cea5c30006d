"""Random documents and edits. The model here knows nothing of the package: a document is a set of
paths with values, and a merge is the base with both sides' changes applied."""

import re

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from extensions.update.merging.structured import merge_structured
from tests.update.structured.documents import DOCUMENTS, FLAT, FORMATS, edited

ABSENT = object()


def flatten(node, path=()):
    """Paths with values: list items by name, words in a list as members."""
    result = {path: type(node).__name__} if path else {}
    if isinstance(node, dict):
        for key, value in node.items():
            result |= flatten(value, (*path, key))
    elif isinstance(node, list):
        for item in node:
            name = ("name", item["name"]) if isinstance(item, dict) else ("word", item)
            result |= flatten(item, (*path, name))
    else:
        result[path] = (type(node).__name__, node)
    return result


def changes(base, side):
    paths = {*base, *side}
    return {
        path: side.get(path, ABSENT)
        for path in paths
        if base.get(path, ABSENT) != side.get(path, ABSENT)
    }


def contested(base, ours, theirs):
    """Paths that both sides changed differently, be it that one of them changed it as a whole."""
    found = set()
    for path in changes(base, ours):
        for other in changes(base, theirs):
            shared = min(path, other, key=len)
            if shared == path[: len(shared)] == other[: len(shared)] and subtree(
                ours, shared
            ) != subtree(theirs, shared):
                found.add(shared)
    return found


def lists_changed(base, ours, theirs):
    """Whether both sides changed one list: order and replacements are not in these paths."""
    sides = (base, ours, theirs)
    if ours == theirs or base in (ours, theirs):
        return False
    if all(isinstance(side, dict) for side in sides):
        return any(lists_changed(*(side.get(key) for side in sides)) for key in {**ours, **theirs})
    return any(map(has_list, sides))


def has_list(node):
    return isinstance(node, list) or (isinstance(node, dict) and any(map(has_list, node.values())))


def emptied(merged):
    """Whether a mapping, a list or all has nothing left, which block style cannot say."""
    parents = {path[:-1] for path in merged}
    return (
        any(value in ("dict", "list") and path not in parents for path, value in merged.items())
        or not merged
    )


def subtree(side, path):
    return {key: value for key, value in side.items() if key[: len(path)] == path}


def resolve(text, side):
    """The text with one side of every conflict."""
    pattern = r"<<<<<<< yours\n(.*?)\|\|\|\|\|\|\| base\n.*?=======\n(.*?)>>>>>>> framework\n"
    return re.sub(pattern, rf"\{side}", text, flags=re.DOTALL)


def deleted(old, new):
    """Whether a value, or the item of a list that a comment on top stands at, is gone."""
    if isinstance(old, list) and isinstance(new, list):
        return flatten(old[:1]).keys().isdisjoint(flatten(new))
    return type(new) is not type(old)


@st.composite
def comments(draw, base, side, by):
    """Comments of a version: the base's for its keys, some replaced, some removed."""
    texts = {}
    for key in side:
        kind = draw(st.sampled_from(["base", "base", by, None]))
        if kind == by or (kind and key in base):
            texts[(key,)] = f"{kind} on {key}"
    return texts


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "file.json"])
def test_comments_that_one_side_wrote_are_kept(name):
    dump, _ = FORMATS[name]

    @settings(max_examples=100, deadline=None)
    @given(versions(name), st.data())
    def run(three, data):
        base, ours, theirs = three
        notes = {
            by: data.draw(comments(base, side, by))
            for by, side in (("ours", ours), ("theirs", theirs))
        }
        texts = (
            dump(base, {(key,): f"base on {key}" for key in base}),
            dump(ours, notes["ours"]),
            dump(theirs, notes["theirs"]),
        )
        result = merge_structured(name, *(f"{text}\n".encode() for text in texts))
        assert result is not None
        for by, other in (("ours", theirs), ("theirs", ours)):
            for (key,), text in notes[by].items():
                # What the customer deleted takes the framework's comment on it along.
                gone = by == "theirs" and key in base and deleted(base[key], other.get(key))
                if text.startswith(by) and not gone:
                    assert f"# {text}" in result.merged.decode()

    run()


@st.composite
def versions(draw, name):
    nested = name != ".env.template"
    base = draw(DOCUMENTS if nested else FLAT)
    sides = edited(base, nested, retype=name != "file.toml")
    return base, draw(sides), draw(sides)


def check(name, base, ours, theirs):
    dump, load = FORMATS[name]
    texts = [f"{dump(document)}\n".encode() for document in (base, ours, theirs)]
    result = merge_structured(name, *texts)
    assert result is not None
    b, o, t = map(flatten, (base, ours, theirs))
    clash = contested(b, o, t)
    expected = b | changes(b, o) | changes(b, t)
    expected = {path: value for path, value in expected.items() if value is not ABSENT}
    event(f"conflicts: {bool(result.conflicts)}")
    if clash:
        assert result.conflicts
    elif not lists_changed(base, ours, theirs) and not emptied(expected):
        assert not result.conflicts
    for number, mine, other in ((1, o, t), (2, t, o)):
        resolved = flatten(load(resolve(result.merged.decode(), number)))
        for path, value in changes(b, mine).items():
            assert resolved.get(path, ABSENT) == value, f"lost: {path}"
        for path in changes(b, resolved):
            assert path in changes(b, mine) or path in changes(b, other), f"invented: {path}"
        if not result.conflicts:
            assert resolved == expected


@pytest.mark.parametrize("name", FORMATS)
def test_the_merge_has_every_change_of_both_sides_and_no_other(name):
    @settings(max_examples=150, deadline=None)
    @given(versions(name))
    def run(three):
        check(name, *three)

    run()


@pytest.mark.long
@pytest.mark.parametrize("name", FORMATS)
def test_many_more_random_documents(name):
    @settings(max_examples=5000, deadline=None)
    @given(versions(name))
    def run(three):
        check(name, *three)

    run()
