"""`platform verify` leaves the framework's tests out where nothing of the framework was changed."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import pytest
from platform_tools.check import verify
from platform_tools.check.delivered import LISTING, compare

FILES = {
    "apps/api/src/core/app.py": "app = 1\n",
    "apps/api/tests/test_app.py": "def test_app() -> None:\n    assert False\n",
    "apps/web/src/core/app.ts": "export {}\n",
    "apps/web/src/core/app.test.ts": "export {}\n",
    "constraints.txt": f"pytest=={version('pytest')} ; python_version < '4' \\\n    --hash=x\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project as delivered, with a test of its own."""
    lines = []
    for name, text in FILES.items():
        contents = text.encode()
        oid = hashlib.sha1(b"blob %d\0" % len(contents) + contents).hexdigest()
        lines.append(f"{oid}  {name}\n")
        write(tmp_path, name, text)
    write(tmp_path, LISTING.as_posix(), "".join(lines))
    write(tmp_path, "apps/api/tests/test_own.py", "def test_own() -> None:\n    pass\n")
    write(tmp_path, "apps/api/src/custom/own.py", "own = 1\n")
    write(tmp_path, "pyproject.toml", "[tool.mypy]\nfiles = ['apps']\n")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text.encode())


def differences(root: Path) -> list[list[str]]:
    return [part.differences for part in compare(root)]


def test_nothing_differs_as_delivered(root: Path) -> None:
    assert differences(root) == [[], []]


def test_other_line_endings_are_no_difference(root: Path) -> None:
    for name, text in FILES.items():
        write(root, name, text.replace("\n", "\r\n"))
    assert differences(root) == [[], []]


def test_an_edit_of_one_part_counts_for_that_part(root: Path) -> None:
    write(root, "apps/web/src/core/app.ts", "export const mine = 1\n")
    assert differences(root) == [[], ["apps/web/src/core/app.ts"]]
    write(root, "apps/api/src/core/app.py", "app = 2\n")
    assert differences(root)[0] == ["apps/api/src/core/app.py"]


def test_removed_and_added_files_of_the_framework_count(root: Path) -> None:
    (root / "apps/api/tests/test_app.py").unlink()
    write(root, "apps/api/src/core/mine.py", "")
    assert differences(root)[0] == ["apps/api/tests/test_app.py", "apps/api/src/core/mine.py"]


def test_a_package_of_another_version_counts(root: Path) -> None:
    write(root, "constraints.txt", "pytest==0.1\nnot-installed==1.0\n")
    assert differences(root)[0] == ["constraints.txt", f"pytest {version('pytest')}"]


def test_without_a_list_everything_runs(root: Path) -> None:
    (root / LISTING).unlink()
    assert differences(root) == [[LISTING.as_posix()], []]


def test_the_tests_that_are_left_out_are_counted_with_the_command_for_them(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []

    def steps(root: Path, left_out: list[str]) -> list[verify.Step]:
        ran.append(left_out)
        return []

    monkeypatch.setattr(verify, "steps", steps)
    assert verify.show(root) == 0
    assert "Left out: 2 files" in (said := capsys.readouterr().out)
    assert "uv run platform verify --all" in said
    assert verify.show(root, everything=True) == 0
    write(root, "apps/api/src/core/app.py", "app = 2\n")
    assert verify.show(root) == 0
    assert "python tests too, as this is not as it was delivered: apps/api/src/core/app.py" in (
        capsys.readouterr().out
    )
    assert ran == [
        ["apps/api/tests/test_app.py", "apps/web/src/core/app.test.ts"],
        [],
        ["apps/web/src/core/app.test.ts"],
    ]


def test_own_tests_run_and_may_be_missing(root: Path) -> None:
    def python_tests() -> verify.Result:
        steps = verify.steps(root, ["apps/api/tests/test_app.py"])
        return verify.run(next(step for step in steps if step.name == "python tests"))

    assert "1 passed" in python_tests().output
    (root / "apps/api/tests/test_own.py").unlink()
    assert python_tests().ok
