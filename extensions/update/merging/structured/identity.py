"""Which items of three lists are the same one, and in which order a merged container has them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from difflib import SequenceMatcher

from .lines import merge_sequences

NATURAL_KEYS = (
    *("id", "name", "key", "path", "repo", "uses", "job_name", "alert", "record", "alias"),
    *("module", "source", "target", "url", "host", "image", "containerPort", "mountPath"),
)
ARGUMENT_LISTS = {"args", "cmd", "command", "entrypoint", "exec", "test"}
ORDERED_LISTS = {"steps", "script", "before_script", "after_script", "stages", "runcmd"}
Found = Sequence[Mapping[str, Hashable]]
Keys = Callable[[object], dict[str, str]]
_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*([<>=!~;@].*)?")


def identify(
    base: list[object], ours: list[object], theirs: list[object]
) -> tuple[list[str], list[str], list[str]]:
    """A name for every item: equal names in two lists mean the same item, changed or not.

    Items are matched with the base's by their natural key, then by equality, then by position
    where one run of items replaced another of the same length. New items are named by their key.
    """
    names = [f"base:{index}" for index in range(len(base))]
    keys = _requirement_keys(base, ours, theirs) or _item_keys
    known = {freeze(item) for item in base}
    both = {freeze(item) for item in ours} & {freeze(item) for item in theirs} - known
    return names, _name(base, ours, names, keys, both), _name(base, theirs, names, keys, both)


def merge_order(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], kept: set[str]
) -> list[str] | None:
    """The names in `kept`, ordered; None where both sides reordered the same items differently."""
    common = set(base) & set(ours) & set(theirs)
    in_base, in_ours, in_theirs = (
        [name for name in side if name in common] for side in (base, ours, theirs)
    )
    if in_theirs in (in_base, in_ours):
        first, second = ours, theirs
    elif in_ours == in_base:
        first, second = theirs, ours
    else:
        return None
    merged = [name for name in first if name in kept]
    for index, name in enumerate(second):
        if name in kept and name not in merged:
            merged.insert(_place(merged, second[:index], second[index + 1 :], set(base)), name)
    return merged


def ambiguous(key: str, lists: Sequence[list[object]], names: Sequence[Sequence[str]]) -> bool:
    """Whether a merge of base's, ours' and theirs' items would be a guess: changes side by side in
    a command line, different steps added at one place, or different items instead of one."""
    if key in ARGUMENT_LISTS:
        return merge_sequences(*([freeze(item) for item in items] for items in lists)) is None
    base, ours, theirs = (set(side) for side in names)
    kept = base & ours & theirs
    in_ours, in_theirs = _between(names[1], kept, base), _between(names[2], kept, base)
    both_added = {
        place
        for place in in_ours.keys() & in_theirs.keys()
        if in_ours[place] - in_theirs[place] and in_theirs[place] - in_ours[place]
    }
    if key in ORDERED_LISTS:
        return bool(both_added)
    keyed = any(_item_keys(item) for items in lists for item in items) or _requirement_keys(*lists)
    both_removed = _between(names[0], kept, ours | theirs)
    return not keyed and bool(both_added & both_removed.keys())


def _between(names: Sequence[str], anchors: set[str], but: set[str]) -> dict[str, set[str]]:
    """The names that are not in `but`, by the anchor that they follow."""
    place, found = "", dict[str, set[str]]()
    for name in names:
        if name in anchors:
            place = name
        elif name not in but:
            found.setdefault(place, set()).add(name)
    return found


def _place(merged: list[str], before: Sequence[str], after: Sequence[str], base: set[str]) -> int:
    """Behind the nearest predecessor, and behind what the other side added there."""
    for name in reversed(before):
        if name in merged:
            place = merged.index(name) + 1
            while name in base and place < len(merged) and merged[place] not in base:
                place += 1
            return place
    return next((merged.index(name) for name in after if name in merged), len(merged))


def _name(
    base: list[object], side: list[object], names: list[str], keys: Keys, both: set[Hashable]
) -> list[str]:
    matched = _match(base, side, keys, both)
    result, seen = [], Counter[str]()
    for index, item in enumerate(side):
        if index in matched:
            result.append(names[matched[index]])
            continue
        found = keys(item)
        name = f"new:{next(iter(found.items()))}" if found else f"new:{freeze(item)}"
        seen[name] += 1
        result.append(f"{name}#{seen[name]}" if seen[name] > 1 else name)
    return result


def _match(
    base: list[object], side: list[object], keys: Keys, both: set[Hashable]
) -> dict[int, int]:
    matched: dict[int, int] = {}
    base_keys, side_keys = [keys(item) for item in base], [keys(item) for item in side]
    for key in ("", *NATURAL_KEYS):
        _match_unique(base_keys, side_keys, key, matched)
    _align(base, side, matched, both)
    return matched


def _match_unique(base: Found, side: Found, key: str, matched: dict[int, int]) -> None:
    """Match the items that alone have their value of `key`, in both lists."""
    places = _unique(base, key)
    for value, there in _unique(side, key).items():
        at = places.get(value)
        if at is not None and there not in matched and at not in matched.values():
            matched[there] = at


def _unique(found: Found, key: str) -> dict[Hashable, int]:
    count = Counter(keys[key] for keys in found if key in keys)
    return {
        keys[key]: index
        for index, keys in enumerate(found)
        if key in keys and count[keys[key]] == 1
    }


def _align(
    base: list[object], side: list[object], matched: dict[int, int], both: set[Hashable]
) -> None:
    """Match what has no natural key: equal items, then a run that as many others replaced. What
    both sides added (`both`) replaces nothing."""
    at_base, at_side = ([{"": freeze(item)} for item in items] for items in (base, side))
    _match_unique(at_base, at_side, "", matched)
    taken = {at: ("matched", at) for at in matched.values()}
    was = [taken.get(at) or freeze(item) for at, item in enumerate(base)]
    now = [
        ("matched", matched[there]) if there in matched else freeze(item)
        for there, item in enumerate(side)
    ]
    for tag, i, i_end, j, j_end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        run = [at for at in range(i, i_end) if at not in taken]
        others = [
            there
            for there in range(j, j_end)
            if there not in matched and freeze(side[there]) not in both
        ]
        if tag in ("equal", "replace") and len(run) == len(others):
            for at, there in zip(run, others, strict=True):
                if tag == "equal" or _alike(base[at], side[there]):
                    matched[there] = at


def _alike(one: object, other: object) -> bool:
    """Whether one item may be the other, changed: at least half of a mapping's fields are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        if any(_item_keys(one).get(k, v) != v for k, v in _item_keys(other).items()):
            return False
        equal = sum(1 for key in one if key in other and one[key] == other[key])
        return equal * 2 >= max(len(one), len(other))
    return not isinstance(one, dict | list) and not isinstance(other, dict | list)


def _item_keys(item: object) -> dict[str, str]:
    if not isinstance(item, dict):
        return {}
    found = {
        key: str(item[key]).split("@")[0] if key == "uses" else str(item[key])
        for key in NATURAL_KEYS
        if key in item and not isinstance(item[key], dict | list)
    }
    only = str(next(iter(item))) if len(item) == 1 else "run"
    return found if found or only == "run" else {"": only}  # a menu's entry, but not a step


def _requirement_keys(*lists: list[object]) -> Keys | None:
    """For lists of requirements or `NAME=value`: the normalised name is the key."""
    items = [item for items in lists for item in items]
    found = {item: _REQUIREMENT.fullmatch(item) for item in items if isinstance(item, str)}
    if len(found) != len(set(map(freeze, items))) or not all(found.values()):
        return None
    if not any(match and match[3] for match in found.values()):
        return None
    return _requirement_key


def _requirement_key(item: object) -> dict[str, str]:
    match = _REQUIREMENT.fullmatch(str(item))
    return {"": re.sub(r"[-_.]+", "-", match[1]).lower()} if match else {}


def freeze(item: object) -> Hashable:
    if isinstance(item, dict):
        return tuple((key, freeze(value)) for key, value in item.items())
    if isinstance(item, list):
        return tuple(map(freeze, item))
    return item if isinstance(item, Hashable) else repr(item)
