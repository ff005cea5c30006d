"""Trees that the engine writes are those that git writes."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.update.objects.repository import Entry, Repository
from tests.update.conftest import git

# Names that git sorts otherwise than Python does: a folder counts as if it ended with a slash.
NAMES = st.sampled_from(["a", "a.b", "a-b", "a0", "b", "ü", "a b", 'q"', "\udcff"])
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

    written.git.flush()
    assert Repository(repository).read(oid) == tree
    written.git("read-tree", oid)
    assert written.git.line("write-tree") == oid


def test_a_tree_as_a_folder_of_another(repository: Path) -> None:
    written = Repository(repository)
    blob = Entry("100644", written.store(b"contents"))
    onto = written.commit({"a.b": blob, "a/b/old": blob, "a/c": blob})

    oid = written.graft(written.write({"new": blob}), "a/b/", onto)

    written.git.flush()
    assert Repository(repository).read(oid) == {"a.b": blob, "a/b/new": blob, "a/c": blob}
    git(repository, "fsck", "--strict", oid)


def test_a_large_folder(repository: Path) -> None:
    """Its size takes several bytes in a pack."""
    written = Repository(repository)
    blob = Entry("100644", written.store(b"contents"))
    tree = {f"{number}.txt": blob for number in range(3000)}

    oid = written.write(tree)

    written.git.flush()
    assert Repository(repository).read(oid) == tree
