"""Three small versions of a file and what becomes of them, format by format."""

from pathlib import PurePath
from textwrap import dedent

import pytest

from extensions.update.merging.structured import merge_structured

CLEAN = {
    "neighbouring keys": (
        "settings.yml",
        "a: 1\nb: 2\n",
        "a: 1\nmine: x\nb: 2\n",
        "a: 1\nframework: y\nb: 3\n",
        "a: 1\nmine: x\nframework: y\nb: 3\n",
    ),
    "one removes, the other adds beside it": (
        "settings.yml",
        "a: 1\nb: 2\nc: 3\n",
        "a: 1\nc: 3\n",
        "a: 1\nb: 2\nnew: 4\nc: 3\n",
        "a: 1\nnew: 4\nc: 3\n",
    ),
    "a comment by one, the value by the other": (
        "settings.yml",
        "a: 1\n",
        "# why\na: 1  # see the handbook\n",
        "a: 2\n",
        "# why\na: 2  # see the handbook\n",
    ),
    "a key moved by one, changed by the other": (
        "settings.yml",
        "a: 1\nb: 2\nc: 3\n",
        "c: 3\na: 1\nb: 2\n",
        "a: 1\nb: 2\nc: 4\n",
        "c: 4\na: 1\nb: 2\n",
    ),
    "indentation changed by one, values by the other": (
        "settings.yml",
        "a:\n  b: 1\n  c:\n    - x\n",
        "a:\n    b: 1\n    c:\n    -   x\n",
        "a:\n  b: 2\n  c:\n    - x\n    - y\n",
        "a:\n    b: 2\n    c:\n    -   x\n    - y\n",
    ),
    "a script changed in two lines": (
        "settings.yml",
        "run: |\n  one\n  two\n  three\n",
        "run: |\n  one, mine\n  two\n  three\n",
        "run: |\n  one\n  two\n  three, framework\n",
        "run: |\n  one, mine\n  two\n  three, framework\n",
    ),
    "anchors and merge keys": (
        "settings.yml",
        "x: &common\n  a: 1\ny:\n  <<: *common\n  b: 2\n",
        "x: &common\n  a: 1\ny:\n  <<: *common\n  b: 3\n",
        "x: &common\n  a: 5\ny:\n  <<: *common\n  b: 2\n",
        "x: &common\n  a: 5\ny:\n  <<: *common\n  b: 3\n",
    ),
    "both add the same": ("s.yml", "a: 1\n", "a: 1\nb: 2\n", "a: 1\nb: 2\n", "a: 1\nb: 2\n"),
    "a requirement's version and its neighbours": (
        "pyproject.toml",
        'deps = [\n  "alpha>=1",\n  "beta>=1", # why\n]\n',
        'deps = [\n  "alpha>=2",\n  "beta>=1", # why\n  "mine",\n]\n',
        'deps = [\n  "alpha>=1",\n  "beta[extra]>=3", # why\n  "gamma>=1",\n]\n',
        'deps = [\n  "alpha>=2",\n  "beta[extra]>=3", # why\n  "mine",\n  "gamma>=1",\n]\n',
    ),
    "tables at the end": (
        "pyproject.toml",
        "[a]\nb = 1\n",
        "[a]\nb = 1\n\n[mine]\nc = 2\n",
        "[a]\nb = 2\n\n[framework]\nd = 3\n",
        "[a]\nb = 2\n\n[mine]\nc = 2\n\n[framework]\nd = 3\n",
    ),
    "tables of an array, by their name": (
        "pyproject.toml",
        '[[x]]\nname = "a"\nv = 1\n\n[[x]]\nname = "b"\nv = 1\n',
        '[[x]]\nname = "a"\nv = 1\n\n[[x]]\nname = "b"\nv = 2\n',
        '[[x]]\nname = "new"\nv = 1\n\n[[x]]\nname = "a"\nv = 1\n\n[[x]]\nname = "b"\nv = 1\n',
        '[[x]]\nname = "new"\nv = 1\n\n[[x]]\nname = "a"\nv = 1\n\n[[x]]\nname = "b"\nv = 2\n',
    ),
    "one line of JSON": (
        "x.json",
        '{"a": 1, "b": [1, 2]}',
        '{"a": 1, "b": [1, 2, 3]}',
        '{"a": 9, "b": [0, 1, 2]}',
        '{"a": 9, "b": [0, 1, 2, 3]}',
    ),
    "tabs stay tabs": (
        "x.json",
        '{\n  "a": {\n    "b": 1\n  }\n}\n',
        '{\n\t"a": {\n\t\t"b": 1\n\t}\n}\n',
        '{\n  "a": {\n    "b": 2,\n    "c": 3\n  }\n}\n',
        '{\n\t"a": {\n\t\t"b": 2,\n\t\t"c": 3\n\t}\n}\n',
    ),
    "env files": (
        ".env.template",
        "# Ports\nPORT=1\nHOST=a # b\n",
        "# Ports\nPORT=2\nHOST=a # b\nMINE='x'\n",
        "# Ports, all local\nPORT=1\nHOST=c # b\nNEW=\n",
        "# Ports, all local\nPORT=2\nHOST=c # b\nMINE='x'\nNEW=\n",
    ),
    "ignore files": (
        ".gitignore",
        "a\nb\n",
        "a\nb\nmine\n",
        "a\nb\nframework\n",
        "a\nb\nmine\nframework\n",
    ),
}

CONFLICTS = {
    "one value, changed to two": ("x.yml", "a: 1\n", "a: 2\n", "a: 3\n", "a"),
    "changed and removed": ("x.yml", "a: 1\nb: 1\n", "a: 2\nb: 1\n", "b: 1\n", "a"),
    "removed and changed": ("x.json", '{"a": 1, "b": 2}', '{"b": 2}', '{"a": 3, "b": 2}', "a"),
    "added with two values": ("x.toml", "a = 1\n", "a = 1\nb = 1\n", "a = 1\nb = 2\n", "b"),
    "true and 1": ("x.json", '{"a": 0}', '{"a": 1}', '{"a": true}', "a"),
    "a version pinned to two": (
        "x.toml",
        'd = ["a>=1", "b"]\n',
        'd = ["a>=2", "b"]\n',
        'd = ["a>=3", "b"]\n',
        "d[0]",
    ),
    "a replaced port": (
        "x.yml",
        'ports:\n  - "80:80"\n',
        'ports:\n  - "81:80"\n',
        'ports:\n  - "82:80"\n',
        "ports[0]",
    ),
    "arguments side by side": (
        "x.yml",
        "command: [serve, --workers, 1]\n",
        "command: [serve, --workers, 4]\n",
        "command: [serve, --workers, 1, --reload]\n",
        "command",
    ),
    "steps added at one place": (
        "x.yml",
        "steps:\n  - uses: a@1\n",
        "steps:\n  - uses: a@1\n  - run: mine\n",
        "steps:\n  - uses: a@1\n  - run: theirs\n",
        "steps",
    ),
    "a comment rewritten twice": (
        "x.yml",
        "# a\na: 1\n",
        "# b\na: 1\n",
        "# c\na: 1\n",
        "a (comment)",
    ),
    "a scalar and a mapping": ("x.yml", "a: 1\n", "a: 2\n", "a:\n  b: 1\n", "a"),
    "a list in two orders": (
        "x.yml",
        "a: [x, y, z]\n",
        "a: [y, x, z]\n",
        "a: [x, z, y]\n",
        "a",
    ),
}

CLEAN |= {
    "JSON with comments": (
        "tsconfig.json",
        '{\n  // how\n  "a": 1, // one\n  "b": 2\n}\n',
        '{\n  // how\n  "a": 9, // one\n  "b": 2, /* two */\n  // mine\n  "c": 3,\n}\n',
        '{\n  // how\n  "a": 1, // one\n  // why\n  "b": 4\n}\n',
        '{\n  // how\n  "a": 9, // one\n  // why\n  "b": 4, /* two */\n  // mine\n  "c": 3,\n}\n',
    ),
    "several documents": (
        "x.yml",
        "kind: A\na: 1\n---\nkind: B\nb: 1\n",
        "kind: A\na: 2\n---\nkind: B\nb: 1\n# mine\n",
        "kind: A\na: 1\n---\n# why\nkind: B\nb: 1\nd: 1\n",
        "kind: A\na: 2\n---\n# why\nkind: B\nb: 1\nd: 1\n# mine\n",
    ),
    "a setting twice": (
        ".env.template",
        "A=1\nB=1\nA=2\n",
        "A=1\nB=1\nA=3\n",
        "A=1\nB=2\nA=2\nC=1\n",
        "A=1\nB=2\nA=3\nC=1\n",
    ),
    "a pattern twice": (
        ".gitignore",
        "a\n# one\nb\na\n",
        "a\n# one\nb\na\nmine\n",
        "a\n# one\nb\ntheirs\na\n",
        "a\n# one\nb\ntheirs\na\nmine\n",
    ),
}
UNSUPPORTED = {
    "no such format": ("notes.txt", "a\n", "b\n", "a\nc\n"),
    "JSON with other comments": ("x.json", "{}", '{\n# why\n"a": 1}', '{"b": 1}'),
    "broken": ("x.yml", "a: 1\n", "a: [1\n", "a: 2\n"),
    "a key twice": ("x.yml", "a: 1\n", "a: 1\na: 2\n", "a: 3\n"),
    "one document that became several": ("x.yml", "a: 1\n", "a: 1\n---\nb: 1\n", "a: 2\n"),
    "mixed line ends": ("x.yml", "a: 1\nb: 1\n", "a: 1\r\nb: 2\n", "a: 2\nb: 1\n"),
}


@pytest.mark.parametrize("case", CLEAN)
def test_merges(case):
    path, base, ours, theirs, expected = CLEAN[case]
    result = merge_structured(path, base.encode(), ours.encode(), theirs.encode())
    assert result is not None
    assert (result.merged.decode(), result.conflicts) == (expected, ())


LATER = {
    "yours": (
        "x.toml",
        "version = '{}'\n",
        "1.2.0",
        "1.10.0",
        "1.3.0",
        "1.10.0 (yours), not 1.3.0",
    ),
    "theirs": ("x.json", '{{"version": "{}"}}', "1.2", "1.3rc1", "1.3", "1.3 (framework), not"),
    "release": ("x.yml", "rev: v{}\n", "1.2.0", "2.0.0", "2.0.1", "v2.0.1 (framework), not v2.0.0"),
    "table": (
        "x.json",
        '{{"devDependencies": {{"a": "^{}"}}}}',
        "1.2",
        "1.4",
        "1.3",
        "^1.4 (yours), not",
    ),
    "list": (
        "x.toml",
        "dependencies = ['a[b]>={},<2']\n",
        "1.2",
        "1.3",
        "1.4",
        "a[b]>=1.4,<2 (frame",
    ),
}
LATER |= {
    "an action": ("x.yml", "uses: a/b@v{}\n", "2", "3", "3.1", "a/b@v3.1 (framework), not"),
    "npm's pre-release": (
        "x.json",
        '{{"version": "{}"}}',
        "1.0.0",
        "2.0.0-next.10",
        "1.0.1",
        "2.0.0-next.10 (yours), not",
    ),
    "pnpm's catalog": ("x.yml", "catalogs:\n  a:\n    vite: ^{}\n", "6.1", "6.2", "8", "^8 (fr"),
}
NO_LATER = {
    "a hash": ("x.yml", "uses: a/b@{}\n", "1" * 40, "2" * 40, "3" * 40),
    "lowered": ("x.toml", "version = '{}'\n", "1.2", "1.1", "1.3"),
    "no version": ("x.toml", "version = '{}'\n", "1.2", "1.3", "latest"),
    "another operator": ("x.json", '{{"dependencies": {{"a": "{}"}}}}', "^1.2", "^1.3", "~1.4"),
    "another bound": ("x.toml", "dependencies = ['{}']\n", "a>=1", "a>=2,<4", "a>=3,<5"),
    "a build or a pre-release": ("x.json", '{{"version": "{}"}}', "1.2.0", "1.3.0-1", "1.3.0"),
    "another key": ("x.toml", "host = '{}'\n", "10.0.0.1", "10.0.0.2", "10.0.0.3"),
    "the same version": ("x.toml", "version = '{}'\n", "1.2", "1.3", "1.3.0"),
}


@pytest.mark.parametrize("case", LATER)
def test_suggests_the_later_of_two_raised_versions(case):
    path, text, *versions, suggestion = LATER[case]
    result = merge_structured(path, *(text.format(version).encode() for version in versions))
    later = text.format(versions[1] if "(yours), not" in suggestion else versions[2])
    assert (result.merged.decode(), result.conflicts) == (later, ())
    assert suggestion in result.suggestions[0]


@pytest.mark.parametrize("case", NO_LATER)
def test_suggests_no_version_that_may_be_wrong(case):
    path, text, *versions = NO_LATER[case]
    result = merge_structured(path, *(text.format(version).encode() for version in versions))
    assert result.conflicts
    assert result.suggestions == ()


@pytest.mark.parametrize("case", CONFLICTS)
def test_leaves_a_conflict(case):
    path, base, ours, theirs, where = CONFLICTS[case]
    result = merge_structured(path, base.encode(), ours.encode(), theirs.encode())
    assert result is not None
    assert result.conflicts == (where,)
    assert b"<<<<<<< yours\n" in result.merged


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_leaves_the_merge_to_the_lines(case):
    path, base, ours, theirs = UNSUPPORTED[case]
    assert merge_structured(path, base.encode(), ours.encode(), theirs.encode()) is None


@pytest.mark.parametrize(
    ("path", "base", "ours", "theirs"),
    [
        ("web/package-lock.json", '{"a": 1, "b": 1}', '{"a": 2, "b": 1}', '{"a": 1, "b": 2}'),
        ("npm-shrinkwrap.json", '{"a": 1, "b": 1}', '{"a": 2, "b": 1}', '{"a": 1, "b": 2}'),
        ("pnpm-lock.yaml", "a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 1\nb: 2\n"),
        ("pylock.toml", "a = 1\nb = 1\n", "a = 2\nb = 1\n", "a = 1\nb = 2\n"),
    ],
)
def test_lock_files_are_left_to_the_lines(path, base, ours, theirs):
    sides = [text.encode() for text in (base, ours, theirs)]
    assert merge_structured(path, *sides) is None
    assert merge_structured(f"other{PurePath(path).suffix}", *sides)


def test_what_is_not_utf8_is_left_to_the_lines():
    assert merge_structured("x.yml", b"a: 1\n", b"a: \xff\n", b"a: 2\n") is None


def test_without_a_common_version_the_lines_decide():
    assert merge_structured("x.yml", None, b"a: 1\n", b"a: 2\n") is None


def test_markers_stand_around_the_conflict_only():
    base = "a: 1\nb: 1\nc: 1\n"
    ours, theirs = "a: 2\nb: 2\nc: 1\n", "a: 1\nb: 3\nc: 3\n"
    result = merge_structured("x.yml", base.encode(), ours.encode(), theirs.encode())
    assert result is not None
    assert result.merged.decode() == dedent("""\
        a: 2
        <<<<<<< yours
        b: 2
        ||||||| base
        b: 1
        =======
        b: 3
        >>>>>>> framework
        c: 3
        """)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        (b"a: 1\nb: 1\n", b"a: 1\r\nb: 2\r\n", b"a: 3\nb: 1\n", b"a: 3\r\nb: 2\r\n"),
        (
            b"a: 1\nb: 1\n",
            b"\xef\xbb\xbfa: 1\nb: 2\n",
            b"a: 3\nb: 1\n",
            b"\xef\xbb\xbfa: 3\nb: 2\n",
        ),
        (b"a: 1\nb: 1\n", b"a: 1\nb: 2", b"a: 3\nb: 1\n", b"a: 3\nb: 2"),
        (b"a: 1\nb: 1", b"a: 1\nb: 2", b"a: 1\nb: 1\nc: 1\n", b"a: 1\nb: 2\nc: 1\n"),
    ],
    ids=["CRLF", "byte order mark", "no final newline", "final newline added"],
)
def test_line_ends_and_byte_order_mark_stay_as_they_were_last_set(base, ours, theirs, expected):
    result = merge_structured("x.yml", base, ours, theirs)
    assert result is not None
    assert result.merged == expected
