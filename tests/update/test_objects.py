"""Trees and files that the engine writes read back as they were, and are those that git writes."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Entry
from tests.support.updates import git

# git sorts these otherwise than Python does (a folder as if it ended with a slash), or quotes them.
NAMES = st.sampled_from(["a", "a.b", "a-b", "a0", "b", "ü", "a b", 'q"', "\udcff", "n\nl"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=12)


@pytest.fixture(scope="module", params=["sha1", "sha256"])
def repository(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trees")
    git(folder, "init", "--quiet", f"--object-format={request.param}")
    return folder


@settings(max_examples=50, deadline=None)
@given(paths=PATHS, mode=st.sampled_from(["100644", "100755", "120000"]))
def test_trees_are_those_of_git(repository: Path, paths: list[str], mode: str) -> None:
    written = Repository(repository)
    blob = written.store(b"contents")
    # A file's name is no folder's.
    files = [path for path in paths if not any(one.startswith(f"{path}/") for one in paths)]
    tree = {path: Entry(mode, blob) for path in files}

    oid = written.write(tree)

    assert Repository(repository).read(oid) == tree
    written.git("read-tree", oid)
    assert written.git.line("write-tree") == oid


def test_a_tree_as_a_folder_of_another(repository: Path) -> None:
    written = Repository(repository)
    blob = Entry("100644", written.store(b"contents"))
    onto = written.commit({"a.b": blob, "a/b/old": blob, "a/c": blob})

    oid = written.graft(written.write({"new": blob}), "a/b/", onto)

    assert Repository(repository).read(oid) == {"a.b": blob, "a/b/new": blob, "a/c": blob}
    git(repository, "fsck", "--strict", oid)


def test_files_of_a_folder(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a\nb").write_bytes(b"two lines\r\n")
    (tmp_path / os.fsdecode(b"\xff")).write_bytes(b"")
    (tmp_path / "program").touch(0o755)
    (tmp_path / "link").symlink_to("folder")
    written = Repository(repository)

    tree = written.store_folder(tmp_path)

    read = {path: (entry.mode, written.blob(entry.oid)) for path, entry in tree.items()}
    assert read == {
        "folder/a\nb": ("100644", b"two lines\r\n"),
        "\udcff": ("100644", b""),
        "program": ("100755", b""),
        "link": ("120000", b"folder"),
    }
