"""Trees of git objects, in a repository that belongs to the update.

The repository borrows the objects of the project and of the template (git's alternates) and keeps
what is new to itself, so that merging, previewing and giving up leave no trace in the project.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from platform_tools.update.git import PLATFORM, Git

# Settings of the project's own git configuration that decide how files are written or merged.
_KEPT_SETTINGS = (
    r"^(core\.(autocrlf|eol|safecrlf|filemode|symlinks|ignorecase|precomposeunicode|bigfilethreshold)"
    r"|filter\..*|merge\..*\.(name|driver|recursive)|user\.(name|email))$"
)
SYMLINK, GITLINK = "120000", "160000"


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

    @classmethod
    def create(cls, folder: Path, borrow: Iterable[Path], settings_of: Path) -> "Repository":
        """Make one in `folder` with the objects of the repositories in `borrow`."""
        folder.mkdir(parents=True)
        project = Git(settings_of)
        objects_format = project.line("rev-parse", "--show-object-format")
        Git(folder)("init", "--quiet", "--template=", f"--object-format={objects_format}")
        alternates = b"".join(os.fsencode(_objects(path)) + b"\n" for path in borrow)
        (folder / ".git" / "objects" / "info" / "alternates").write_bytes(alternates)
        kept = project("config", "-z", "--local", "--get-regexp", _KEPT_SETTINGS, ok=(0, 1))
        with (folder / ".git" / "config").open("ab") as config:
            for setting in kept.split(b"\0")[:-1]:
                name, _, value = setting.partition(b"\n")
                # The project's own merge driver is an older engine than the one that runs.
                if not name.startswith(b"merge.platform."):
                    config.write(_setting(name, value))
        return cls(folder)

    def read(self, treeish: str) -> Tree:
        """All files of a tree or commit; none for a path that is not there."""
        tree = {}
        for record in self.git("ls-tree", "-r", "-z", "--full-tree", treeish).split(b"\0")[:-1]:
            head, _, path = record.partition(b"\t")
            mode, _, oid = head.decode().split(" ")
            tree[os.fsdecode(path)] = Entry(mode, oid)
        return tree

    def write(self, tree: Tree, prefix: str = "", onto: str | None = None) -> str:
        """Write a tree; return its id. With `prefix` ("folder/"), as that folder of `onto`."""
        index = self.folder / ".git" / "tree-index"
        index.unlink(missing_ok=True)
        git = Git(self.folder, {"GIT_INDEX_FILE": str(index)})
        records = [(entry, prefix + path) for path, entry in tree.items()]
        if prefix and onto:
            git("read-tree", onto)
            old = self.read(f"{onto}:{prefix}")
            gone = Entry("0", "0" * len(next(iter(old.values())).oid)) if old else None
            records = [(gone, prefix + path) for path in old if gone] + records
        git("update-index", "-z", "--index-info", stdin=index_info(records))
        # All objects are there: they were read from git or stored before.
        oid = git.line("write-tree", "--missing-ok")
        index.unlink(missing_ok=True)
        return oid

    def commit(self, tree: str, parents: Iterable[str] = (), message: str = "platform") -> str:
        """Write a commit of the update's own, with a fixed author and date."""
        date = "2000-01-01T00:00:00Z"
        fixed = PLATFORM | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        arguments = [argument for parent in parents for argument in ("-p", parent)]
        git = Git(self.folder, fixed)
        return git.line("commit-tree", tree, *arguments, "-m", message)

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of blobs by their ids, in one call of git."""
        wanted = sorted(set(oids))
        output = self.git(
            "cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in wanted).encode()
        )
        found, position = {}, 0
        for oid in wanted:
            end = output.index(b"\n", position)
            size = int(output[position:end].split(b" ")[2])
            found[oid] = output[end + 1 : end + 1 + size]
            position = end + 1 + size + 1
        return found

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

    def send(self, to: Path, *commits: str) -> None:
        """Copy commits, with all that they need, into another repository's object database."""
        target = Git(to)
        wanted = "".join(f"{commit}\n" for commit in commits)
        known = target.attempt("rev-parse", "--verify", "-q", "HEAD")
        if known:
            wanted += f"^{known}\n"
        pack = self.git("pack-objects", "--revs", "--stdout", "-q", stdin=wanted.encode())
        target("unpack-objects", "-q", stdin=pack)


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


def _setting(name: bytes, value: bytes) -> bytes:
    section, _, key = name.rpartition(b".")
    first, dot, rest = section.partition(b".")
    head = first + (
        b' "' + rest.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"' if dot else b""
    )
    quoted = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b"[" + head + b"]\n\t" + key + b' = "' + quoted + b'"\n'
