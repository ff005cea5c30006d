"""`platform resolve`: shows both sides of each conflict, suggests one, and takes what is chosen."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from extensions.update.errors import PlatformError
from extensions.update.inputs.ownership import Ownership, Zone
from extensions.update.landing.state import Folder
from extensions.update.merging.choice import keep_edits, markers, take_side
from extensions.update.objects.git import Git, GitError
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import GITLINK, Entry, index_info
from extensions.update.report.text import suggested
from extensions.update.request import Request, Side
from extensions.update.terminal import say

_STAGES: dict[Side, int] = {"yours": 2, "framework": 3}
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
            choose(repository, merged, path, side)
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
    # A side may have such lines itself, in a text about git.
    known = Counter[bytes]()
    for entry in stages(repository, path).values():
        known |= markers(repository.blob(entry.oid)) if entry.mode != GITLINK else known
    before = markers(_blob(repository, merged + path) or b"") - known
    return bool(before) and not markers(place.read_bytes()) - known


def choose(repository: Repository, merged: str, path: str, side: Side) -> bool:
    """Take one side of what is in conflict in a path; a change of mode by either side stays.

    The rest of a file keeps the changes of both sides, and the user's edits since the merge (for
    `merged` see `resolved_by_hand`). Returns False, after a message, where that is impossible.
    """
    sides = stages(repository, path)
    chosen = sides.get(_STAGES[side])
    target = repository.folder / path
    oid, marked = file_oid(repository, path), _blob(repository, merged + path)
    now = repository.blob(oid) if oid else None
    files = {stage: repository.blob(one.oid) for stage, one in sides.items() if one.mode != GITLINK}
    if {2, 3} <= set(sides) and all(one.mode.startswith("100") for one in sides.values()):
        if marked == files[2]:
            # Where attributes forbid a merge (`-merge`), git leaves yours: one conflict.
            taken: bytes | None = files[_STAGES[side]]
        else:
            versions = files.get(1), files[2], files[3]
            taken = take_side(repository.git, path, *versions, side)
        if taken is not None and now is not None:
            taken = keep_edits(repository.git, marked, now, taken)
        if taken is None:
            return _refuse(path)
        chosen = Entry(_mode(sides, chosen), _store(repository, taken))
    elif now is not None and now not in (marked, *files.values()):
        return _refuse(path)
    if target.is_symlink() or target.is_file():
        target.unlink()
    # The file before the index: after an interruption in between, the path is still in conflict.
    name = _top(repository) + path
    records = index_info([(Entry("0", "0" * len(next(iter(sides.values())).oid)), name)])
    if chosen:
        records += index_info([(chosen, name)])
        with TemporaryDirectory(prefix="platform-index-") as folder:
            apart = Git(repository.folder, {"GIT_INDEX_FILE": str(Path(folder, "index"))})
            apart("update-index", "-z", "--index-info", stdin=index_info([(chosen, name)]))
            apart("checkout-index", "--force", "--", path)
    repository.git("update-index", "-z", "--index-info", stdin=records)
    return True


def _refuse(path: str) -> bool:
    say(
        f"{path} stays in conflict: what is in conflict was edited, or cannot be separated from"
        " the rest.\nNext: edit the file, then git add it.",
        "warn",
    )
    return False


def file_oid(repository: Repository, path: str) -> str | None:
    """The blob that git stores of a file in the work tree; None if it is no regular file."""
    target = repository.folder / path
    if target.is_symlink() or not target.is_file():
        return None
    return repository.git.line("-c", "core.safecrlf=false", "hash-object", "-w", "--", path)


def _blob(repository: Repository, name: str) -> bytes | None:
    try:
        return repository.git("cat-file", "blob", name)
    except GitError:
        return None


def _store(repository: Repository, contents: bytes) -> str:
    return repository.git("hash-object", "-w", "--stdin", stdin=contents).decode().strip()


def _mode(sides: Mapping[int, Entry], chosen: Entry | None) -> str:
    """The mode of a choice: where one side changed the mode, the changed one."""
    if {1, 2, 3} <= set(sides) and all(one.mode.startswith("100") for one in sides.values()):
        return sides[3].mode if sides[2].mode == sides[1].mode else sides[2].mode
    return chosen.mode if chosen else "100644"


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
                    choose(repository, merged, one, "yours" if typed[0] == "y" else "framework")
            elif typed[:1] == "e":
                _edit(repository, path)
            elif typed[:1] == "a":
                same = [one for one in left if ownership.zone(one) == zone and one not in done]
                for one in _keep_resolved(repository, merged, same):
                    choose(repository, merged, one, side)
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
    before = place.read_bytes() if place.is_file() else None
    subprocess.run(["sh", "-c", f'{editor} "$1"', "sh", str(place)], check=False)
    contents = place.read_bytes() if place.is_file() else None
    if b"<<<<<<< " in (contents or b"") or b">>>>>>> " in (contents or b""):
        say("The file still has conflict markers.", "warn")
    elif contents == before:
        say("The file is as it was: it stays in conflict.", "warn")
    else:
        repository.git("add", "--all", "--force", "--", f":(literal){path}")


def _top(repository: Repository) -> str:
    return repository.git.line("rev-parse", "--show-prefix")
