"""Works through conflicts: the three sides, a suggestion, one choice at a time or many at once."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

from extensions.update.errors import PlatformError
from extensions.update.inputs.ownership import Ownership, Zone
from extensions.update.landing.state import Folder
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Entry, index_info, is_file
from extensions.update.report.plan import SUGGESTED
from extensions.update.terminal import say

_STAGES = {"yours": 2, "framework": 3}
_CONFLICT = re.compile(
    rb"^<{7} .*\n(?P<yours>(?:.*\n)*?)(?:\|{7} .*\n(?:.*\n)*?)?"
    rb"={7}\r?\n(?P<framework>(?:.*\n)*?)>{7} .*\n",
    re.MULTILINE,
)
_MARKS = [re.compile(rb"^%s" % mark, re.MULTILINE) for mark in (rb"<{7} ", rb"={7}\r?$", rb">{7} ")]
_HELP = "[y]ours, [f]ramework, [e]dit, [s]kip, [a]ll of this zone as suggested, [q]uit"


def run(root: Path, side: str | None, zone: str | None, paths: Iterable[str]) -> int:
    """Resolve the conflicts of `paths` or `zone` (default: all) with `side`, or ask for each.

    `paths` are files and folders, as seen from the current folder. What the user has resolved in
    the file itself stays so. Returns 0 when none is left, 3 otherwise.
    """
    if zone and zone not in get_args(Zone):
        raise PlatformError(f"There is no zone {zone}.", f"Zones: {', '.join(get_args(Zone))}", 2)
    folder = Folder(root)
    state = folder.load()
    inside = state is not None and state.phase == "ready"
    repository = Repository(folder.project if inside else root)
    merged = f"{state.tree}:" if state else "AUTO_MERGE:./"
    ownership = Ownership.load()
    conflicts = repository.unresolved()
    if not conflicts:
        raise PlatformError("Nothing to resolve.", code=2)
    chosen = _named(conflicts, paths, (repository.folder, root))
    chosen = [path for path in chosen if not zone or ownership.zone(path) == zone]
    if not chosen:
        raise PlatformError(f"Nothing to resolve in the zone {zone}.", _listed(conflicts), 2)
    left = _keep_resolved(repository, merged, chosen)
    if side:
        for path in left:
            choose(repository, path, side)
    elif sys.stdin and sys.stdin.isatty():
        _ask(repository, ownership, merged, left)
    elif left:
        raise PlatformError(
            _listed(left),
            "Choose without asking: uv run platform resolve --use yours|framework [--zone ZONE] "
            "[PATH …]",
            2,
        )
    after = repository.unresolved()
    if after:
        say(f"{len(after)} left: uv run platform resolve", "warn")
        return 3
    say("All conflicts are resolved.", "good")
    say("Next: uv run platform update --continue" if state else "Next: git commit")
    return 0


def resolved_by_hand(repository: Repository, merged: str, path: str) -> bool:
    """Whether the file of a conflict has lost the markers that the merge had put into it.

    `merged` and the path name the file as the merge left it. Where that had no markers, only git
    can be told that the conflict is resolved.
    """
    place = repository.folder / path
    if not place.is_file() or place.is_symlink():
        return False
    now = place.read_bytes()
    before = repository.git("cat-file", "blob", merged + path, ok=(0, 128))
    return b"<<<<<<< " in before and not (b"<<<<<<< " in now or b">>>>>>> " in now)


def choose(repository: Repository, path: str, side: str) -> None:
    """Take one side of what is in conflict; a change of mode by either side stays.

    In a text that is what stands between markers: the rest of the file has the changes of both.
    """
    sides = stages(repository, path)
    chosen = sides.get(_STAGES[side])
    target = repository.folder / path
    if {2, 3} <= set(sides) and is_file(target) and not target.is_symlink():
        taken = _between_markers(target.read_bytes(), side)
        if taken is not None:
            target.write_bytes(taken)
            if (_mode(sides, chosen) == "100755") != bool(target.stat().st_mode & 0o100):
                target.chmod(target.stat().st_mode ^ 0o111)
            repository.git("add", "--force", "--", f":(literal){path}")
            return
    if target.is_symlink() or target.is_file():
        target.unlink()
    # The file before the index: what is interrupted in between is still in conflict.
    if chosen is None:
        repository.git("rm", "--quiet", "--force", "--cached", "--", f":(literal){path}")
        return
    repository.git("checkout-index", "--force", f"--stage={_STAGES[side]}", "--", path)
    mode = _mode(sides, chosen)
    if mode != chosen.mode:
        target.chmod(target.stat().st_mode ^ 0o111)
    records = index_info([(Entry("0", "0" * len(chosen.oid)), _top(repository) + path)])
    records += index_info([(Entry(mode, chosen.oid), _top(repository) + path)])
    repository.git("update-index", "-z", "--index-info", stdin=records)


def _mode(sides: Mapping[int, Entry], chosen: Entry | None) -> str:
    """The mode of a choice: of two that differ, the one that a side changed."""
    if {1, 2, 3} <= set(sides) and all(one.mode.startswith("100") for one in sides.values()):
        return sides[3].mode if sides[2].mode == sides[1].mode else sides[2].mode
    return chosen.mode if chosen else "100644"


def _between_markers(contents: bytes, side: str) -> bytes | None:
    """A text with one side of each conflict; None where its markers cannot be told for certain."""
    count = len(_CONFLICT.findall(contents))
    if not count or any(len(mark.findall(contents)) != count for mark in _MARKS):
        return None
    return _CONFLICT.sub(rb"\g<%s>" % side.encode(), contents)


def stages(repository: Repository, path: str) -> dict[int, Entry]:
    """The sides of a path in conflict: 1 the base, 2 yours, 3 the framework's."""
    found = {}
    listed = repository.git("ls-files", "-z", "--unmerged", "--", f":(literal){path}")
    for record in listed.split(b"\0")[:-1]:
        mode, oid, stage = record.partition(b"\t")[0].decode().split(" ")
        found[int(stage)] = Entry(mode, oid)
    return found


def _named(conflicts: list[str], names: Iterable[str], folders: Iterable[Path]) -> list[str]:
    """The conflicts at and below what the user named; all where that is nothing."""
    chosen = set()
    for name in names:
        place = Path(os.path.abspath(name))  # noqa: PTH100  # a link is itself in conflict
        folder = next((one for one in folders if place.is_relative_to(one)), None)
        found = {one for one in conflicts if folder and (folder / one).is_relative_to(place)}
        if not found:
            raise PlatformError(f"Not in conflict: {name}", _listed(conflicts), 2)
        chosen |= found
    return sorted(chosen) or conflicts


def _listed(paths: Iterable[str]) -> str:
    return "\n".join(["In conflict:", *(f"  {path}" for path in paths)])


def _keep_resolved(repository: Repository, merged: str, paths: Iterable[str]) -> list[str]:
    """Tell git and the user of those that the user has resolved in the file; return the others."""
    left = []
    for path in paths:
        if resolved_by_hand(repository, merged, path):
            repository.git("add", "--force", "--", f":(literal){path}")
            say(f"You have resolved {path} already: it stays as it is.")
        else:
            left.append(path)
    return left


def _ask(repository: Repository, ownership: Ownership, merged: str, left: list[str]) -> None:
    done: set[str] = set()
    for path in left:
        if path in done:
            continue
        zone = ownership.zone(path)
        suggested = SUGGESTED.get(zone, "framework")
        _show(repository, path)
        while True:
            try:
                answer = input(f"{path} ({zone}; suggested: {suggested}) {_HELP}: ").strip().lower()
            except EOFError:
                answer = "q"
            if answer[:1] in ("y", "f"):
                for one in _keep_resolved(repository, merged, [path]):
                    choose(repository, one, "yours" if answer[0] == "y" else "framework")
            elif answer[:1] == "e":
                _edit(repository, path)
            elif answer[:1] == "a":
                same = [one for one in left if ownership.zone(one) == zone and one not in done]
                for one in _keep_resolved(repository, merged, same):
                    choose(repository, one, suggested)
                done.update(same)
            elif answer[:1] == "q":
                return
            elif answer[:1] != "s":
                continue
            done.add(path)
            break


def _show(repository: Repository, path: str) -> None:
    """What each side made of the base."""
    sides = stages(repository, path)
    for name, stage in _STAGES.items():
        say(f"\n── {path}: {name}", "good")
        if stage not in sides:
            say("deleted")
        elif 1 in sides:
            diff = repository.git("diff", "--no-ext-diff", sides[1].oid, sides[stage].oid)
            say(b"\n".join(diff.split(b"\n")[4:]).decode(errors="replace") or "unchanged")
        else:
            contents = repository.blob(sides[stage].oid)
            say(
                f"{len(contents)} bytes, binary"
                if b"\0" in contents
                else contents.decode(errors="replace")
            )


def _edit(repository: Repository, path: str) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    place = repository.folder / path
    subprocess.run(["sh", "-c", f'{editor} "$1"', "sh", str(place)], check=False)
    contents = place.read_bytes() if place.exists() else b""
    if b"<<<<<<< " in contents or b">>>>>>> " in contents:
        say("There are still conflict markers in it.", "warn")
    else:
        repository.git("add", "--all", "--force", "--", f":(literal){path}")


def _top(repository: Repository) -> str:
    return repository.git.line("rev-parse", "--show-prefix")
