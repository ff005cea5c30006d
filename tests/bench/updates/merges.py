"""Real life: the merge commits of public repositories, with the person's own merge as yardstick.

python -m tests.bench.updates.merges CLONE... [--show]
"""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from extensions.update.merging import structured
from tests.bench.measuring import table

FORMATS = {
    "TOML": (".toml",),
    "YAML": (".yml", ".yaml"),
    "JSON": (".json",),
    "env and ignore files": (".env", ".env.template", ".env.example", "ignore"),
}
REBUILT = ("package-lock.json", "uv.lock", "poetry.lock", "pnpm-lock.yaml", "yarn.lock")


@dataclass(frozen=True)
class Case:
    """One file that both parents of a merge commit changed."""

    commit: str
    path: str
    base: bytes
    ours: bytes
    theirs: bytes
    person: bytes


def git(clone: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", clone, *arguments], check=True, capture_output=True).stdout


def cases(clone: Path) -> Iterator[Case]:
    """Every file that both sides of a merge changed, differently."""
    merges = git(clone, "rev-list", "--all", "--min-parents=2", "--max-parents=2", "--parents")
    for line in merges.decode().splitlines():
        commit, ours, theirs = line.split()
        found = subprocess.run(
            ["git", "-C", clone, "merge-base", "--all", ours, theirs], capture_output=True
        )
        bases = found.stdout.decode().split()
        if len(bases) != 1:
            continue
        changed = [_blobs(clone, bases[0], side) for side in (ours, theirs)]
        for path in sorted(changed[0].keys() & changed[1].keys()):
            (base, mine), (_, other) = changed[0][path], changed[1][path]
            person = git(clone, "ls-tree", commit, "--", path).split()
            if mine != other and person:
                blobs = (base, mine, other, person[2].decode())
                yield Case(commit, path, *(git(clone, "cat-file", "blob", blob) for blob in blobs))


def _blobs(clone: Path, base: str, side: str) -> dict[str, tuple[str, str]]:
    output = git(
        clone, "diff", "--raw", "-z", "--no-renames", "--no-abbrev", "--diff-filter=M", base, side
    )
    fields = output.decode().split("\0")[:-1]
    return {
        path: (meta.split()[2], meta.split()[3])
        for meta, path in zip(fields[::2], fields[1::2], strict=True)
        if meta.startswith(":100") and " 100" in meta
    }


def merge_lines(case: Case) -> bytes | None:
    """git's own merge of the lines, None for conflicts."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for file, content in zip(files, (case.ours, case.base, case.theirs), strict=True):
            file.write_bytes(content)
        done = subprocess.run(["git", "merge-file", "-p", *files], capture_output=True)
    return done.stdout if done.returncode == 0 else None


def outcome(merged: bytes | None, conflicts: bool, person: bytes) -> str:
    if merged is None or conflicts:
        return "conflict"
    return "like the person" if merged.split() == person.split() else "otherwise"


def kind(path: str) -> str:
    name = Path(path).name
    return next(
        (kind for kind, suffixes in FORMATS.items() if name.endswith(suffixes)), "without structure"
    )


def main() -> None:
    clones = [Path(argument) for argument in sys.argv[1:] if argument != "--show"]
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for clone in clones:
        for case in cases(clone):
            if Path(case.path).name in REBUILT:
                continue
            lines = merge_lines(case)
            by_git = outcome(lines, lines is None, case.person)
            result = structured.merge_structured(case.path, case.base, case.ours, case.theirs)
            ours = by_git
            if result is not None:
                ours = outcome(result.merged, bool(result.conflicts), case.person)
            counts.setdefault(kind(case.path), Counter())[by_git, ours] += 1
            if "--show" in sys.argv and ours != by_git:
                print(f"{clone} {case.commit[:10]} {case.path}: git {by_git}, here {ours}")
    rows = []
    for name, count in counts.items():
        conflicts = {ours: n for (by_git, ours), n in count.items() if by_git == "conflict"}
        clean = {ours: n for (by_git, ours), n in count.items() if by_git != "conflict"}
        left, like, other = (conflicts.get(word, 0) for word in OUTCOMES)
        overruled = sum(
            n for (by_git, ours), n in count.items() if by_git not in ("conflict", ours)
        )
        rows.append((name, left + like + other, left, like, other, sum(clean.values()), overruled))
    table(
        f"Files that both sides of {len(clones)} repositories' merge commits changed. Left those in"
        " which git's merge of the lines has a conflict, and what becomes of them here; right those"
        " that git merges, and how many of them come out otherwise here",
        ("format", "git: conflict", *OUTCOMES, "git: merged", "here otherwise"),
        rows,
    )


OUTCOMES = ("conflict", "like the person", "otherwise")

if __name__ == "__main__":
    main()
