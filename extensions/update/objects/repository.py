"""Trees of git objects, in a repository that belongs to the update.

The repository borrows the objects of the project and of the template (git's alternates) and keeps
what is new to itself, so that merging, previewing and giving up leave no trace in the project.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import IO, NamedTuple

from extensions.update.objects.git import Git, GitError
from extensions.update.objects.pack import FOLDER, Pack

# Settings of the project's own git configuration that decide how files are written or merged.
_KEPT_SETTINGS = (
    r"^(core\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|bigfilethreshold)"
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


class _PackingGit(Git):
    """git with objects that it gets before its next command: one process for many of them."""

    @cached_property
    def objects(self) -> tuple[str, Path]:
        """The objects' format (sha1 or sha256) and their folder."""
        said = super().__call__("rev-parse", "--show-object-format", "--git-path", "objects")
        object_format, folder = os.fsdecode(said).removesuffix("\n").split("\n", 1)
        return object_format, (self.folder / folder).resolve()

    @cached_property
    def pack(self) -> Pack:
        return Pack(self.objects[0])

    def flush(self) -> None:
        """Give git what was added to the pack since the last time."""
        if "pack" in vars(self) and (contents := self.pack.take()):
            super().__call__("index-pack", "--stdin", stdin=contents)

    def __call__(self, *arguments: str, stdin: bytes = b"", ok: Iterable[int] = (0,)) -> bytes:
        self.flush()
        return super().__call__(*arguments, stdin=stdin, ok=ok)


class Repository:
    """The update's own repository: a folder with a work tree, borrowing others' objects."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git = _PackingGit(folder)
        self._read: dict[str, Tree] = {}

    @classmethod
    def create(cls, folder: Path, project: Path, template: Path) -> "Repository":
        """Make one in `folder` for a project and a template, with the project's settings."""
        folder.mkdir(parents=True)
        lenders = [opened(project).git, opened(template).git]
        object_format, objects = lenders[0].objects
        Git(folder)("init", "--quiet", "--template=", f"--object-format={object_format}")
        borrowed = [one.objects[1] for one in lenders if one.objects[0] == object_format]
        alternates = b"".join(_quoted(os.fsencode(one)) + b"\n" for one in borrowed)
        (folder / ".git" / "objects" / "info" / "alternates").write_bytes(alternates)
        kept = _settings(lenders[0], _KEPT_SETTINGS)
        if any(name.endswith(b".promisor") for name, _ in kept):
            kept += _settings(lenders[0], _REMOTE_SETTINGS)
        own = objects.with_name("info") / "attributes"
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
        oid = self.git.pack.add_tree(tree)
        self._read[oid] = dict(tree)
        return oid

    def commit(self, tree: Tree, message: str = "platform") -> str:
        """Write a tree and a commit of it, the update's own; return the commit's id."""
        return self.git.pack.add_commit(self.write(tree), message)

    def fork(self, base: Tree, **branches: Tree) -> None:
        """Make branches, each of one commit after a commit of `base`."""
        start = self.commit(base)
        tips = {
            name: self.git.pack.add_commit(self.write(tree), name, [start])
            for name, tree in branches.items()
        }
        refs = [f"update refs/heads/{name} {tip}\n" for name, tip in tips.items()]
        self.git("update-ref", "--stdin", stdin="".join(refs).encode())

    def graft(self, oid: str, prefix: str, onto: str) -> str:
        """The tree of the commit `onto` with the tree `oid` as its folder `prefix` ("folder/")."""
        while prefix:
            parent, _, name = prefix.rstrip("/").rpartition("/")
            entries = {}
            for record in self.git("ls-tree", "-z", f"{onto}:{parent}").split(b"\0")[:-1]:
                meta, _, path = record.partition(b"\t")
                mode, _, other = meta.decode().split(" ")
                entries[os.fsdecode(path)] = (mode.lstrip("0"), other)
            oid = self.git.pack.add_folder(entries | {name: (FOLDER, oid)})
            prefix = parent
        return oid

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of blobs by their ids."""
        self.git.flush()  # the git that stays looks for them itself
        found = {}
        for oid in set(oids):
            contents = self.contents(oid)
            if contents is None:
                raise GitError(f"git has lost the object {oid}: look with git fsck.")
            found[oid] = contents
        return found

    def contents(self, name: str) -> bytes | None:
        """The contents of an object by any name that git knows (COMMIT:PATH), if it is there."""
        requests, answers = self._reader
        requests.write(os.fsencode(name) + b"\n")
        requests.flush()
        *_, size = _line(answers).split(b" ")
        return None if size == b"missing" else answers.read(int(size) + 1)[:-1]

    def adopt(self, lender: "Repository", tree: Tree) -> Tree:
        """A tree of a lender as one of this repository: objects of another format are copied."""
        if lender.git.objects[0] == self.git.objects[0]:
            return tree
        contents = lender.blobs(entry.oid for entry in tree.values())
        return {
            path: Entry(entry.mode, self.store(contents[entry.oid])) for path, entry in tree.items()
        }

    @cached_property
    def _reader(self) -> tuple[IO[bytes], IO[bytes]]:
        return self.git.stay("cat-file", "--batch")

    def blob(self, oid: str) -> bytes:
        return self.blobs([oid])[oid]

    def store(self, contents: bytes) -> str:
        """Write a blob; return its id."""
        return self.git.pack.add_blob(contents)

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


@cache
def opened(folder: Path) -> Repository:
    """The repository in `folder`; one git that stays reads its objects."""
    return Repository(folder)


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
