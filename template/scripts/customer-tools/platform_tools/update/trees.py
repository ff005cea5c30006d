"""Trees of git objects, in a repository that belongs to the update.

The repository borrows the objects of the project and of the template (git's alternates) and keeps
what is new to itself, so that merging, previewing and giving up leave no trace in the project.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple

from platform_tools.update.git import Git, GitError
from platform_tools.update.pack import FOLDER, Pack

# Settings of the project's own git configuration that decide how files are written or merged.
_KEPT_SETTINGS = (
    r"^(core\.(autocrlf|eol|safecrlf|filemode|symlinks|ignorecase|precomposeunicode|bigfilethreshold)"
    r"|filter\..*|merge\..*\.(name|driver|recursive)|user\.(name|email)|remote\..*\.promisor)$"
)
# What a partial clone lacks comes from its remote.
_REMOTE_SETTINGS = (
    r"^(remote\..*\.(url|partialclonefilter)|core\.sshcommand|(credential|http|url)\..*)$"
)
SYMLINK, GITLINK = "120000", "160000"
# Names of objects that are always the same.
_FIXED = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?(:|$)")


class Entry(NamedTuple):
    """A file of a tree: git's mode ("100644", "100755", "120000", "160000") and object id."""

    mode: str
    oid: str


Tree = dict[str, Entry]
"""All files of a tree by their path."""


class Repository:
    """The update's own repository: a folder with a work tree, borrowing others' objects."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git = Git(folder)
        self._read: dict[str, Tree] = {}

    @cached_property
    def _pack(self) -> Pack:
        return Pack(self.git.line("rev-parse", "--show-object-format"))

    @classmethod
    def create(cls, folder: Path, borrow: Iterable[Path], settings_of: Path) -> "Repository":
        """Make one in `folder` with the objects of the repositories in `borrow`."""
        folder.mkdir(parents=True)
        project = Git(settings_of)
        objects_format = project.line("rev-parse", "--show-object-format")
        Git(folder)("init", "--quiet", "--template=", f"--object-format={objects_format}")
        alternates = b"".join(_quoted(os.fsencode(_objects(path))) + b"\n" for path in borrow)
        (folder / ".git" / "objects" / "info" / "alternates").write_bytes(alternates)
        kept = _settings(project, _KEPT_SETTINGS)
        if any(name.endswith(b".promisor") for name, _ in kept):
            kept += _settings(project, _REMOTE_SETTINGS)
        own = _objects(settings_of).with_name("info") / "attributes"
        if own.exists():
            (folder / ".git" / "info").mkdir()
            shutil.copyfile(own, folder / ".git" / "info" / "attributes")
        with (folder / ".git" / "config").open("ab") as config:
            for name, value in kept:
                # The project's own merge driver is an older engine than the one that runs.
                if not name.startswith(b"merge.platform."):
                    config.write(_setting(name, value))
        return cls(folder)

    def read(self, treeish: str) -> Tree:
        """All files of a tree or commit; none for a path that is not there."""
        if treeish in self._read:
            return dict(self._read[treeish])
        tree = {}
        for record in self.git("ls-tree", "-r", "-z", "--full-tree", treeish).split(b"\0")[:-1]:
            head, _, path = record.partition(b"\t")
            mode, _, oid = head.decode().split(" ")
            tree[os.fsdecode(path)] = Entry(mode, oid)
        if _FIXED.match(treeish):
            self._read[treeish] = dict(tree)
        return tree

    def write(self, tree: Tree) -> str:
        """Write a tree; return its id."""
        oid = self._add(tree)
        self._store_pack()
        return oid

    def commit(self, tree: Tree, message: str = "platform") -> str:
        """Write a tree and a commit of it, the update's own; return the commit's id."""
        oid = self._pack.add_commit(self._add(tree), message)
        self._store_pack()
        return oid

    def fork(self, base: Tree, **branches: Tree) -> None:
        """Make branches, each of one commit after a commit of `base`."""
        start = self._pack.add_commit(self._add(base), "platform")
        refs = [
            f"update refs/heads/{name} {self._pack.add_commit(self._add(tree), name, [start])}\n"
            for name, tree in branches.items()
        ]
        self._store_pack()
        self.git("update-ref", "--stdin", stdin="".join(refs).encode())

    def _add(self, tree: Tree) -> str:
        oid = self._pack.add_tree(tree)
        self._read[oid] = dict(tree)
        return oid

    def _store_pack(self) -> None:
        if pack := self._pack.take():
            self.git("index-pack", "--stdin", stdin=pack)

    def graft(self, oid: str, prefix: str, onto: str) -> str:
        """The tree of the commit `onto` with the tree `oid` as its folder `prefix` ("folder/")."""
        while prefix:
            parent, _, name = prefix.rstrip("/").rpartition("/")
            entries = {}
            for record in self.git("ls-tree", "-z", f"{onto}:{parent}").split(b"\0")[:-1]:
                meta, _, path = record.partition(b"\t")
                mode, _, other = meta.decode().split(" ")
                entries[os.fsdecode(path)] = (mode.lstrip("0"), other)
            oid = self._pack.add_folder(entries | {name: (FOLDER, oid)})
            prefix = parent
        self._store_pack()
        return oid

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of blobs by their ids."""
        requests, answers = self._reader
        found = {}
        for oid in set(oids):
            requests.write(f"{oid}\n".encode())
            requests.flush()
            *_, size = _line(answers).split(b" ")
            if size == b"missing":
                raise GitError(f"git has lost the object {oid}: look with git fsck.")
            found[oid] = answers.read(int(size) + 1)[:-1]
        return found

    @cached_property
    def _reader(self) -> tuple[IO[bytes], IO[bytes]]:
        return self.git.stay("cat-file", "--batch")

    def blob(self, oid: str) -> bytes:
        return self.blobs([oid])[oid]

    def store(self, contents: bytes) -> str:
        """Write a blob; return its id."""
        return self.git("hash-object", "-w", "--stdin", stdin=contents).decode().strip()

    def store_folder(self, folder: Path) -> Tree:
        """Write every file below `folder` as it is (no filters); return their tree."""
        return self.store_files(
            folder,
            sorted(
                os.path.relpath(os.path.join(parent, name), folder)  # noqa: PTH118  # many
                for parent, folders, names in os.walk(folder)
                for name in [*names, *(one for one in folders if Path(parent, one).is_symlink())]
            ),
        )

    def store_files(self, folder: Path, paths: Iterable[str]) -> Tree:
        """Write those of `paths` that are files below `folder`, as `store_folder` does."""
        files = [folder / path for path in paths if is_file(folder / path)]
        if not files:
            return {}
        regular = [path for path in files if not path.is_symlink()]
        listed = b"".join(os.fsencode(path) + b"\n" for path in regular if "\n" not in str(path))
        oids = self.git("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=listed)
        by_path = dict(
            zip(
                (path for path in regular if "\n" not in str(path)),
                oids.decode().split(),
                strict=True,
            )
        )
        tree = {}
        for path in files:
            if path.is_symlink():
                entry = Entry(SYMLINK, self.store(os.fsencode(path.readlink())))
            else:
                mode = "100755" if path.stat().st_mode & 0o111 else "100644"
                entry = Entry(mode, by_path.get(path) or self.store(path.read_bytes()))
            tree[path.relative_to(folder).as_posix()] = entry
        return tree

    def check_out(
        self, tree: Tree, conflicts: Mapping[str, Mapping[int, Entry]] | None = None
    ) -> None:
        """Make the work tree and the index those of `tree`, with the stages of `conflicts`."""
        self.git("read-tree", "--reset", "-u", self.write(tree))
        if conflicts:
            self.git("update-index", "-z", "--index-info", stdin=stages_info(conflicts))

    def use_attributes(self, tree: Tree) -> None:
        """Let the attributes of `tree` (binary, union) count in merges."""
        if found := attributes_of(tree):
            self.check_out(found)

    def drop_filters(self) -> None:
        """Write and read files without the filters of the project's own configuration."""
        names = self.git(
            "config", "-z", "--local", "--name-only", "--get-regexp", r"^filter\.", ok=(0, 1)
        )
        for section in {os.fsdecode(name).rpartition(".")[0] for name in names.split(b"\0")[:-1]}:
            self.git("config", "--local", "--remove-section", section)

    def index(self) -> Tree:
        """What the index holds, once nothing is in conflict."""
        return self.read(self.git.line("write-tree"))

    def unresolved(self) -> list[str]:
        """Paths that are in conflict in the index."""
        records = self.git("ls-files", "-z", "--unmerged").split(b"\0")[:-1]
        return sorted({os.fsdecode(record.partition(b"\t")[2]) for record in records})

    def send(self, git_folder: Path, known: str, *commits: str) -> None:
        """Copy commits, with all that they need, to a repository that has the commit `known`."""
        wanted = "".join(f"{commit}\n" for commit in (*commits, f"^{known}"))
        # Deltas would take most of the time, and git makes them when it packs again.
        options = ("--revs", "--stdout", "-q", "--window=0")
        pack = self.git("pack-objects", *options, stdin=wanted.encode())
        # A pack is on the disk when this returns; single objects might not be. In a folder of the
        # work tree, git would put it there.
        Git(git_folder, {"GIT_DIR": str(git_folder)})("index-pack", "--stdin", stdin=pack)


def _line(answers: IO[bytes]) -> bytes:
    """The next line of a git that stays."""
    if not (line := answers.readline()):
        raise GitError("git has ended (see above)")
    return line.rstrip(b"\n")


def attributes_of(tree: Tree) -> Tree:
    """The files of a tree that hold git's attributes."""
    return {path: tree[path] for path in tree if path.split("/")[-1] == ".gitattributes"}


def above(path: str) -> Iterator[str]:
    """The folders that a path is in, from the nearest to the top, which is ""."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def is_file(path: Path) -> bool:
    """Whether there is a file or a link, not a folder."""
    return path.is_symlink() or path.is_file()


def index_info(records: Iterable[tuple[Entry, str]], stage: int = 0) -> bytes:
    """Lines for `git update-index -z --index-info`; the mode "0" removes a path."""
    return b"".join(
        f"{entry.mode} {entry.oid} {stage}\t".encode() + os.fsencode(path) + b"\0"
        for entry, path in records
    )


def stages_info(conflicts: Mapping[str, Mapping[int, Entry]]) -> bytes:
    """Lines for `git update-index -z --index-info` that put paths in conflict."""
    lines = []
    for path, stages in conflicts.items():
        none = Entry("0", "0" * len(next(iter(stages.values())).oid))
        lines.append(index_info([(none, path)]))
        lines += [index_info([(entry, path)], stage) for stage, entry in sorted(stages.items())]
    return b"".join(lines)


def _objects(repository: Path) -> Path:
    folder = Git(repository).line("rev-parse", "--git-path", "objects")
    return (repository / folder).resolve()


def _settings(git: Git, pattern: str) -> list[tuple[bytes, bytes]]:
    """The repository's own settings whose names match."""
    options = ("-z", "--local", "--includes")
    found = git("config", *options, "--get-regexp", pattern, ok=(0, 1)).split(b"\0")[:-1]
    return [(name, value) for name, _, value in (one.partition(b"\n") for one in found)]


def _setting(name: bytes, value: bytes) -> bytes:
    section, _, key = name.rpartition(b".")
    first, dot, rest = section.partition(b".")
    head = first + (
        b' "' + rest.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"' if dot else b""
    )
    return b"[" + head + b"]\n\t" + key + b" = " + _quoted(value) + b"\n"


def _quoted(value: bytes) -> bytes:
    escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'
