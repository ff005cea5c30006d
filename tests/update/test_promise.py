"""The promise, for random customers and random templates, checked without the engine's help.

Every line has a text of its own, so that each hunk of either side can be found again in the result.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from extensions.update.inputs.ownership import Ownership
from extensions.update.merging.merge import Merged, merge
from extensions.update.objects.repository import Repository
from extensions.update.objects.store import ObjectStore
from extensions.update.objects.tree import Tree

PATHS = [
    "shared/a.py",
    "shared/b.py",
    "deployment/größe c.conf",
    "apps/api/src/core/d.py",
    "apps/api/src/routes/e.py",
    "docs/mine.md",
]
COMPOSE = "docker-compose.dev.yml"
SERVICES = ["api", "web", "db", "cache"]
Who = Literal["mine", "new"]


@dataclass
class File:
    """A file as lines, or as raw bytes; `crlf` and `program` are how it is written."""

    lines: list[str]
    raw: bytes | None = None
    crlf: bool = False
    program: bool = False

    def contents(self) -> bytes:
        if self.raw is not None:
            return self.raw
        end = "\r\n" if self.crlf else "\n"
        return "".join(line + end for line in self.lines).encode("latin-1")


Files = dict[str, File]


@dataclass
class Side:
    """One side's files, and what was done to them."""

    files: Files
    renamed: dict[str, str] = field(default_factory=dict)


def start() -> Files:
    return {path: File([f"{path} line {n}" for n in range(12)]) for path in PATHS} | {
        "shared/logo.png": File([], raw=b"\0logo"),
        COMPOSE: File(_compose(dict.fromkeys(SERVICES, "1g"))),
    }


def _compose(services: dict[str, str]) -> list[str]:
    lines = ["services:"]
    for name, memory in services.items():
        lines += [f"  {name}:", "    restart: always", f"    memory: {memory}", "    cpus: 1"]
    return lines


OPERATIONS = [
    "edit",
    "insert",
    "drop",
    "delete",
    "rename",
    "add",
    "mode",
    "binary",
    "crlf",
    "folder",
]
operation = st.tuples(
    st.sampled_from([*OPERATIONS, "edit", "insert", "memory", "service"]),
    st.sampled_from(PATHS),
    st.integers(0, 11),
)


def apply(side: Side, who: Who, number: int, step: tuple[str, str, int]) -> None:
    """Do one thing to a side's files; each leaves a text that is found again."""
    what, path, line = step
    token = f"{who} {number} caf\xe9"
    file = side.files.get(path)
    if what == "add":
        side.files[f"shared/{who}{number}.py"] = File([f"{token} {n}" for n in range(12)])
    elif what == "memory":
        lines = side.files[COMPOSE].lines
        place = lines.index(f"  {SERVICES[line % 4]}:") + 2
        lines[place] = f"    memory: {number + 2}{'m' if who == 'mine' else 'g'}"
    elif what == "service":
        lines = side.files[COMPOSE].lines
        place = lines.index(f"  {SERVICES[line % 4]}:")
        lines[place:place] = _compose({f"{who}{number}": "1g"})[1:]
    elif file is None or file.raw is not None:
        return
    elif what in ("edit", "insert", "drop"):
        index = min(line, len(file.lines))
        file.lines[index : index + (what != "insert")] = [token] if what != "drop" else []
    elif what == "delete":
        del side.files[path]
    elif what == "rename":
        new = f"{Path(path).parent}/{who}-{Path(path).name}"
        side.files[new] = side.files.pop(path)
        side.renamed[path] = new
    elif what == "folder":
        del side.files[path]
        side.files[f"{path}/{who}{number}.py"] = File([f"{token} {n}" for n in range(12)])
    elif what == "mode":
        file.program = True
    elif what == "binary":
        file.raw = b"\0" + token.encode("utf-16")
    elif what == "crlf":
        file.crlf = True


def evolve(who: Who, steps: list[tuple[str, str, int]]) -> Side:
    side = Side(start())
    for number, step in enumerate(steps):
        apply(side, who, number, step)
    return side


@dataclass
class World:
    """A repository for all examples."""

    repository: Repository
    folder: Path
    ownership: Ownership

    def tree(self, files: Files) -> Tree:
        shutil.rmtree(self.folder, ignore_errors=True)
        for path, file in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.contents())
            target.chmod(0o755 if file.program else 0o644)
        return self.repository.store_folder(self.folder)

    def merge(self, base: Tree, ours: Tree, theirs: Tree, renamed: dict[str, str]) -> Merged:
        return merge(self.repository, base, ours, theirs, self.ownership, renamed=renamed)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        lender = ObjectStore(Path(__file__).parents[2])
        repository = Repository.create(root / "repository", lender, lender)
        yield World(repository, root / "files", Ownership.load())


def check(world: World, mine: Side, new: Side) -> None:
    """Assert the promise."""
    base, ours, theirs = (world.tree(files) for files in (start(), mine.files, new.files))
    merged = world.merge(base, ours, theirs, new.renamed)
    named = {note.path for note in merged.notes}
    old_names = {new_name: old for old, new_name in new.renamed.items()}
    blobs = world.repository.blobs(entry.oid for entry in merged.tree.values())
    contents = {path: blobs[entry.oid] for path, entry in merged.tree.items()}
    # A file that had to give way to a folder, or the other way round, has another name.
    open_paths = {*merged.conflicts, *(re.sub("~[a-z]+", "", path) for path in merged.conflicts)}
    everything = b"\n".join(contents.values())

    _each_hunk_of_mine(mine, contents, open_paths, everything)
    _each_hunk_of_the_framework(world, base, new, contents, open_paths, named, everything)
    for path in {*base, *ours, *theirs}:
        b, o, t, r = (tree.get(path) for tree in (base, ours, theirs, merged.tree))
        # A renamed file is reported under the name that the customer knows.
        if path in open_paths or {path, old_names.get(path)} & named:
            continue
        delivered = b or o or path in new.renamed.values()
        if world.ownership.zone(path) == "customer" and delivered:
            assert r == o, f"{path} is the customer's"
        elif t == b:
            assert r == o, f"only the customer touched {path}"
        elif o == b:
            assert r == t, f"only the framework touched {path}"
        elif o and r and o.mode != (b or o).mode:
            assert r.mode == o.mode, f"the mode of {path}"
    if COMPOSE not in open_paths:
        _each_service(mine, new, contents[COMPOSE])


def _each_hunk_of_mine(
    mine: Side, contents: dict[str, bytes], open_paths: set[str], everything: bytes
) -> None:
    for path, file in mine.files.items():
        if file.raw is not None:
            assert file.raw in contents.values(), f"the bytes of {path}"
        elif path != COMPOSE:
            for line in file.lines:
                if line.startswith("mine "):
                    assert line.encode("latin-1") in everything, f"{line!r} of {path} is lost"
    kept = {line for file in mine.files.values() for line in file.lines}
    dropped = {line for file in start().values() for line in file.lines} - kept
    binary = {path for path, file in mine.files.items() if file.raw is not None}
    for path, text in contents.items():
        if path in open_paths or path in binary or path == COMPOSE:
            continue
        back = dropped & set(text.decode("latin-1").splitlines())
        assert not back, f"{back} is in {path} again"


def _each_hunk_of_the_framework(
    world: World,
    base: Tree,
    new: Side,
    contents: dict[str, bytes],
    open_paths: set[str],
    named: set[str],
    everything: bytes,
) -> None:
    for path, file in new.files.items():
        old = path.replace("/new-", "/")
        explained = {path, old} & (open_paths | named)
        if explained or path == COMPOSE or world.ownership.zone(old) == "customer":
            continue
        for line in file.lines if file.raw is None else []:
            if line.startswith("new ") and line.encode("latin-1") not in everything:
                carried = any(old in name or path in name for name in open_paths | named)
                assert carried, f"{line!r} of {path} did not arrive: {sorted(open_paths | named)}"


def _each_service(mine: Side, new: Side, text: bytes) -> None:
    """An edit is in the block that it was made in."""
    merged = yaml.safe_load(text)["services"]
    before = yaml.safe_load(start()[COMPOSE].contents())["services"]
    for side in (mine, new):
        for name, service in yaml.safe_load(side.files[COMPOSE].contents())["services"].items():
            if service != before.get(name):
                assert merged[name] == service, f"service {name}"


sides = st.tuples(st.lists(operation, max_size=6), st.lists(operation, max_size=6))
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=500, deadline=None, suppress_health_check=QUIET)
@given(sides)
@example(([("delete", "shared/a.py", 0)], [("rename", "shared/a.py", 0)]))
def test_nothing_is_lost(
    world: World, both: tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]
) -> None:
    check(world, evolve("mine", both[0]), evolve("new", both[1]))


@pytest.mark.long
@pytest.mark.timeout(0)
@settings(max_examples=20_000, deadline=None, suppress_health_check=QUIET)
@given(sides)
def test_nothing_is_lost_in_many_more_histories(
    world: World, both: tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]
) -> None:
    check(world, evolve("mine", both[0]), evolve("new", both[1]))


def test_the_check_sees_a_loss(world: World) -> None:
    """An engine that takes the framework's side everywhere does not pass."""
    careless = World(world.repository, world.folder, world.ownership)
    careless.merge = lambda base, ours, theirs, renamed: Merged(dict(theirs))  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match="is lost"):
        check(careless, evolve("mine", [("edit", "shared/a.py", 3)]), evolve("new", []))
