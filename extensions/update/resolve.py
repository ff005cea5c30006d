"""`platform resolve`: shows both sides of each conflict, suggests one, and takes what is chosen."""

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
from extensions.update.objects.git import Git
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Entry, index_info, is_file
from extensions.update.report.text import suggested
from extensions.update.request import Request, Side
from extensions.update.terminal import say

_STAGES: dict[Side, int] = {"yours": 2, "framework": 3}
_CONFLICT = re.compile(
    rb"^<{7} .*\n(?P<yours>(?:.*\n)*?)(?:\|{7} .*\n(?:.*\n)*?)?"
    rb"={7}\r?\n(?P<framework>(?:.*\n)*?)>{7} .*\n",
    re.MULTILINE,
)
_MARKS = [re.compile(rb"^%s" % mark, re.MULTILINE) for mark in (rb"<{7} ", rb"={7}\r?$", rb">{7} ")]
_HELP = "[y]ours, [f]ramework, [e]dit, [s]kip, [a]ll of this zone as suggested, [q]uit"


def run(request: Request) -> int:
    """Resolve the conflicts of `paths` or `zone` (default: all) with `side`, or ask for each.

    `paths` are files and folders, relative to the current folder. Files that the user has resolved
    stay as they are. Returns 0 when no conflict is left, 3 otherwise.
    """
    root, side, zone = request.root, request.side, request.zone
    if zone and zone not in get_args(Zone):
        raise PlatformError(f"There is no zone {zone}.", f"Zones: {', '.join(get_args(Zone))}", 2)
    folder = Folder(root)
    state = folder.load()
    inside = state is not None and state.phase == "ready"
    repository = Repository(folder.project if inside else root)
    merged = f"{state.tree}:" if state else "AUTO_MERGE:./"
    ownership = Ownership.of(Git(root), state.start if state else "HEAD")
    conflicts = repository.unresolved()
    if not conflicts:
        raise PlatformError("Nothing is in conflict.", code=2)
    chosen = _named(conflicts, request.paths, (repository.folder, root))
    chosen = [path for path in chosen if not zone or ownership.zone(path) == zone]
    if not chosen:
        raise PlatformError(f"Nothing is in conflict in the zone {zone}.", _listed(conflicts), 2)
    left = _keep_resolved(repository, merged, chosen)
    if side:
        for path in left:
            choose(repository, path, side)
    elif sys.stdin and sys.stdin.isatty():
        _ask(repository, ownership, merged, left)
    elif left:
        raise PlatformError(
            _listed(left),
            "To choose without questions: uv run platform resolve --use yours|framework "
            "[--zone ZONE] [PATH …]",
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
    """Whether the user has removed the merge's markers from the file of a conflict.

    `merged` + `path` is git's name of the file as the merge left it. A file that had no markers is
    resolved with `git add` or `git rm` alone.
    """
    place = repository.folder / path
    if not place.is_file() or place.is_symlink():
        return False
    now = place.read_bytes()
    before = repository.git("cat-file", "blob", merged + path, ok=(0, 128))
    return b"<<<<<<< " in before and not (b"<<<<<<< " in now or b">>>>>>> " in now)


def choose(repository: Repository, path: str, side: Side) -> None:
    """Take one side of a conflict; a change of mode by either side stays.

    In a text, only the lines between markers are replaced: the rest has the changes of both sides.
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
    # The file before the index: after an interruption in between, the path is still in conflict.
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
    """The mode of a choice: where one side changed the mode, the changed one."""
    if {1, 2, 3} <= set(sides) and all(one.mode.startswith("100") for one in sides.values()):
        return sides[3].mode if sides[2].mode == sides[1].mode else sides[2].mode
    return chosen.mode if chosen else "100644"


def _between_markers(contents: bytes, side: Side) -> bytes | None:
    """A text with one side of each conflict; None where its markers are ambiguous."""
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
    """The conflicts at and below the named paths; all conflicts if no path is named."""
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
    """Mark files without markers as resolved in git, with a message; return the other paths."""
    left = []
    for path in paths:
        if resolved_by_hand(repository, merged, path):
            repository.git("add", "--force", "--", f":(literal){path}")
            say(f"You have resolved {path} already; it stays as it is.")
        else:
            left.append(path)
    return left


def _ask(repository: Repository, ownership: Ownership, merged: str, left: list[str]) -> None:
    done: set[str] = set()
    for path in left:
        if path in done:
            continue
        zone = ownership.zone(path)
        side = suggested(zone)
        _show(repository, path)
        while True:
            try:
                typed = input(f"{path} ({zone}; suggested: {side}) {_HELP}: ").strip().lower()
            except EOFError:
                typed = "q"
            if typed[:1] in ("y", "f"):
                for one in _keep_resolved(repository, merged, [path]):
                    choose(repository, one, "yours" if typed[0] == "y" else "framework")
            elif typed[:1] == "e":
                _edit(repository, path)
            elif typed[:1] == "a":
                same = [one for one in left if ownership.zone(one) == zone and one not in done]
                for one in _keep_resolved(repository, merged, same):
                    choose(repository, one, side)
                done.update(same)
            elif typed[:1] == "q":
                return
            elif typed[:1] != "s":
                continue
            done.add(path)
            break


def _show(repository: Repository, path: str) -> None:
    """Show each side's changes to the base."""
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
        say("The file still has conflict markers.", "warn")
    else:
        repository.git("add", "--all", "--force", "--", f":(literal){path}")


def _top(repository: Repository) -> str:
    return repository.git.line("rev-parse", "--show-prefix")
