"""Random documents, edits of them, and their text in each format."""

import json
import tomllib
from copy import deepcopy

from hypothesis import strategies as st
from ruamel.yaml import YAML

WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
SCALARS = st.one_of(
    st.integers(0, 99),
    st.booleans(),
    st.sampled_from([*WORDS, "1.0", "on", "a: b", "# no", "x, y", "[z]", 'say "hi"', "ü", ""]),
)
KEYS = [f"k{number}" for number in range(6)]


def mappings(values, size=4):
    return st.dictionaries(st.sampled_from(KEYS), values, min_size=1, max_size=size)


WORD_LISTS = st.lists(st.sampled_from(WORDS), unique=True, min_size=1)
NAMED = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(WORDS)}, optional={"v": SCALARS, "w": SCALARS}),
    unique_by=lambda item: item["name"],
    min_size=1,
)
DOCUMENTS = mappings(
    st.one_of(SCALARS, WORD_LISTS, NAMED, mappings(st.one_of(SCALARS, WORD_LISTS, NAMED))), 6
)
FLAT = st.dictionaries(st.sampled_from(KEYS), st.sampled_from([*WORDS, "a=b", "x # y"]), min_size=1)


@st.composite
def edited(draw, document, nested=True, retype=True):
    """The document after a few edits: values set, keys and items added and removed; `retype`: also
    a value replaced by a table or list, and the other way round."""
    result = deepcopy(document)
    for _ in range(draw(st.integers(1, 4))):
        _edit(draw, result, nested, retype)
    return result


def _edit(draw, node, nested, retype):
    inner = [value for value in _values(node) if isinstance(value, dict | list) and value]
    if inner and draw(st.booleans()):
        return _edit(draw, draw(st.sampled_from(inner)), nested, retype)
    if isinstance(node, dict):
        key = draw(st.sampled_from([key for key in [*KEYS, "v"] if key != "name"]))
        if key in node and len(node) > 1 and draw(st.booleans()):
            del node[key]
        elif retype or not isinstance(node.get(key), dict | list):
            plain = "name" in node or not nested or (key in node and not retype)
            values = st.sampled_from(WORDS) if not nested else SCALARS
            node[key] = draw(values if plain else st.one_of(values, WORD_LISTS, NAMED))
        return None
    named = isinstance(node[0], dict)
    used = [item["name"] for item in node] if named else node
    unused = [word for word in WORDS if word not in used]
    if len(node) > 1 and (not unused or draw(st.booleans())):
        node.pop(draw(st.integers(0, len(node) - 1)))
    elif unused:
        word = draw(st.sampled_from(unused))
        item = {"name": word, "v": draw(SCALARS)} if named else word
        node.insert(draw(st.integers(0, len(node))), item)
    return None


def _values(node):
    return node.values() if isinstance(node, dict) else node


def to_yaml(node, comments=None, indent="", path=()):
    """Block style, with `comments` (path → text) above the keys."""
    lines = []
    for key, value in node.items():
        comment = (comments or {}).get((*path, key))
        lines += [f"{indent}# {comment}"] if comment else []
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", to_yaml(value, comments, indent + "  ", (*path, key))]
        elif isinstance(value, list):
            lines.append(f"{indent}{key}:")
            for item in value:
                text = (
                    to_yaml(item).replace("\n", f"\n{indent}    ")
                    if isinstance(item, dict)
                    else item
                )
                lines.append(f"{indent}  - {text}")
        else:
            lines.append(f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines)


def to_toml(node, comments=None):
    lines, tables = [], []
    for key, value in node.items():
        comment = (comments or {}).get((key,))
        note = [f"# {comment}"] if comment else []
        if isinstance(value, dict):
            inner = [f"{name} = {_toml(item)}" for name, item in value.items()]
            tables += ["", *note, f"[{key}]", *inner]
        elif isinstance(value, list) and isinstance(value[0], dict):
            for item in value:
                tables += ["", *note, f"[[{key}]]", *(f"{n} = {_toml(v)}" for n, v in item.items())]
                note = []
        else:
            lines += [*note, f"{key} = {_toml(value)}"]
    return "\n".join([*lines, *tables])


def _toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_toml(item)},\n" for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def to_json(node, comments=None):
    return json.dumps(node, indent=2, ensure_ascii=False)


def to_env(node, comments=None):
    lines = []
    for key, value in node.items():
        comment = (comments or {}).get((key,))
        lines += [f"# {comment}"] if comment else []
        lines.append(f"{key}={value}")
    return "\n".join(lines)


def from_env(text):
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs = [line.split("=", 1) for line in lines]
    assert len({key for key, _ in pairs}) == len(pairs), "a setting occurs twice"
    return dict(pairs)


FORMATS = {
    "file.yml": (to_yaml, lambda text: YAML(typ="safe", pure=True).load(text)),
    "file.toml": (to_toml, tomllib.loads),
    "file.json": (to_json, json.loads),
    ".env.template": (to_env, from_env),
}
