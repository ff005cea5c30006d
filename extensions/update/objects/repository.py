"""A repository with a work tree: the update's own, in which trees are written and merged.

It borrows the objects of the project and of the template (git's alternates) and keeps what is new
to itself, so that merging, previewing and giving up leave no trace in the project.
"""

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from extensions.update.objects.git import PLATFORM, Batch, Git
from extensions.update.objects.store import ObjectStore
from extensions.update.objects.tree import (
    FOLDER,
    SYMLINK,
    Entry,
    Tree,
    above,
    attributes_of,
    format_folder,
    parse_tree,
    stages_info,
)

# Settings of the project's git configuration that decide how files are written or merged.
_KEPT_SETTINGS = (
    r"^(core\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|bigfilethreshold)"
    r"|filter\..*|merge\..*\.(name|driver|recursive)|user\.(name|email)|remote\..*\.promisor)$"
)
# A partial clone fetches what it lacks from its remote.
_REMOTE_SETTINGS = (
    r"^(remote\..*\.(url|partialclonefilter)|core\.sshcommand|(credential|http|url)\..*)$"
)
# The same tree gets the same commit in every update.
_INTERNAL = PLATFORM | {
    "GIT_AUTHOR_DATE": "946684800 +0000",
    "GIT_COMMITTER_DATE": "946684800 +0000",
}


class Repository(ObjectStore):
    """Writes objects, the work tree and the index of the repository in `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._written: dict[bytes, str] = {}

    @classmethod
    def create(cls, folder: Path, project: ObjectStore, template: ObjectStore) -> "Repository":
        """Make the update's repository in `folder`, with the project's format and settings."""
        folder.mkdir(parents=True)
        Git(folder)("init", "--quiet", "--template=", f"--object-format={project.format}")
        own = folder / ".git"
        borrowed = [one.place for one in (project, template) if one.format == project.format]
        alternates = b"".join(_quoted(os.fsencode(one)) + b"\n" for one in borrowed)
        (own / "objects" / "info" / "alternates").write_bytes(alternates)
        kept = _settings(project.git, _KEPT_SETTINGS)
        if any(name.endswith(b".promisor") for name, _ in kept):
            kept += _settings(project.git, _REMOTE_SETTINGS)
        # This repository is temporary; `send` has git sync what lands.
        kept.append((b"core.fsync", b"none"))
        attributes = project.place.with_name("info") / "attributes"
        if attributes.exists():
            (own / "info").mkdir()
            shutil.copyfile(attributes, own / "info" / "attributes")
        with (own / "config").open("ab") as config:
            for name, value in kept:
                # The project's merge driver is an older engine than the one that runs.
                if not name.startswith(b"merge.platform."):
                    config.write(_setting(name, value))
        return cls(folder)

    @cached_property
    def _tree_writer(self) -> Batch:
        # What a partial clone has not fetched is missing, and stays so.
        return Batch(self.git, "mktree", "-z", "--missing", "--batch")

    @cached_property
    def _blob_writer(self) -> Batch:
        return Batch(self.git, "hash-object", "-w", "--no-filters", "--stdin-paths")

    def write(self, tree: Tree) -> str:
        """Write a tree with all its folders; return its id."""
        folders: dict[str, dict[str, Entry]] = defaultdict(dict)
        for path, entry in tree.items():
            folder, _, name = path.rpartition("/")
            folders[folder][name] = entry
        names = {one for folder in folders for one in (folder, *above(folder))} - {""}
        # The folders inside a folder come before it.
        for folder in sorted(names, key=lambda name: name.count("/"), reverse=True):
            parent, _, name = folder.rpartition("/")
            folders[parent][name] = Entry(FOLDER, self._write_folder(folders[folder]))
        oid = self._write_folder(folders[""])
        self._trees[oid] = dict(tree)
        return oid

    def _write_folder(self, entries: Mapping[str, Entry]) -> str:
        records = format_folder(entries)
        # An update writes several versions, in which most folders are the same.
        if records not in self._written:
            self._written[records] = self._tree_writer.ask(records + b"\0").decode()
        return self._written[records]

    def commit(self, tree: Tree, message: str = "platform", *parents: str) -> str:
        """Write a tree and an internal commit of it; return the commit's id."""
        options = [option for parent in parents for option in ("-p", parent)]
        git = Git(self.folder, _INTERNAL)
        return git.line("commit-tree", self.write(tree), *options, "-m", message)

    def fork(self, base: Tree, **branches: Tree) -> None:
        """Make branches, each of one commit after a commit of `base`."""
        start = self.commit(base)
        tips = {name: self.commit(tree, name, start) for name, tree in branches.items()}
        refs = [f"update refs/heads/{name} {tip}\n" for name, tip in tips.items()]
        self.git("update-ref", "--stdin", stdin="".join(refs).encode())

    def graft(self, oid: str, prefix: str, onto: str) -> str:
        """The tree of the commit `onto` with the tree `oid` as its folder `prefix` ("folder/")."""
        while prefix:
            parent, _, name = prefix.rstrip("/").rpartition("/")
            entries = parse_tree(self.git("ls-tree", "-z", f"{onto}:{parent}"))
            oid = self._write_folder(entries | {name: Entry(FOLDER, oid)})
            prefix = parent
        return oid

    def store(self, contents: bytes) -> str:
        """Write a blob; return its id."""
        place = self.folder / ".git" / "platform-blob"
        place.write_bytes(contents)
        return self._blob_writer.ask(os.fsencode(place) + b"\n").decode()

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
        tree = {}
        for path in paths:
            place = folder / path
            if place.is_symlink():
                tree[path] = Entry(SYMLINK, self.store(os.fsencode(place.readlink())))
            elif place.is_file():
                mode = "100755" if place.stat().st_mode & 0o111 else "100644"
                tree[path] = Entry(mode, self._store_file(place))
        return tree

    def _store_file(self, place: Path) -> str:
        name = os.fsencode(place)
        if b"\n" in name:
            return self.store(place.read_bytes())
        return self._blob_writer.ask(name + b"\n").decode()

    def adopt(self, lender: ObjectStore, tree: Tree) -> Tree:
        """A lender's tree in this repository: objects of another format are copied."""
        if lender.format == self.format:
            return tree
        contents = lender.blobs(entry.oid for entry in tree.values())
        return {
            path: Entry(entry.mode, self.store(contents[entry.oid])) for path, entry in tree.items()
        }

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
        """Write and read files without the filters of the project's configuration."""
        names = self.git(
            "config", "-z", "--local", "--name-only", "--get-regexp", r"^filter\.", ok=(0, 1)
        )
        for section in {os.fsdecode(name).rpartition(".")[0] for name in names.split(b"\0")[:-1]}:
            self.git("config", "--local", "--remove-section", section)

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


def _settings(git: Git, pattern: str) -> list[tuple[bytes, bytes]]:
    """The repository's settings whose names match."""
    options = ("-z", "--local", "--includes")
    found = git("config", *options, "--get-regexp", pattern, ok=(0, 1)).split(b"\0")[:-1]
    return [(name, value) for name, _, value in (one.partition(b"\n") for one in found)]


def _setting(name: bytes, value: bytes) -> bytes:
    """A setting as the configuration file has it."""
    section, _, key = name.rpartition(b".")
    first, dot, rest = section.partition(b".")
    head = first + (
        b' "' + rest.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"' if dot else b""
    )
    return b"[" + head + b"]\n\t" + key + b" = " + _quoted(value) + b"\n"


def _quoted(value: bytes) -> bytes:
    escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'
