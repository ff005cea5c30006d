"""`platform resolve` as a person uses it: in a terminal."""

import os
import pty
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.updates import FILES, PLATFORM, Customer, Result, Vendor, git, run

LOGGING = str(FILES["shared/logging.py"])
MINE = LOGGING.replace("line 9\n", "line 9, mine\n")
NEW = LOGGING.replace("line 9\n", "line 9, new\n")
BY_HAND = LOGGING.replace("line 9\n", "line 9, mine and new\n")


@pytest.fixture
def door(request: pytest.FixtureRequest) -> str:
    """`platform update`, unless a test wants both."""
    return str(getattr(request, "param", "platform"))


BOTH_DOORS = pytest.mark.parametrize("door", ["platform", "copier"], indirect=True)


@pytest.fixture
def customer(vendor: Vendor, copy: Callable[..., Customer], door: str) -> Customer:
    """A project with three conflicts, in two zones of which `framework` has two."""
    customer = copy()
    customer.commit({"shared/logging.py": MINE, "shared/b.py": "mine\n", "README.md": "mine\n"})
    vendor.release("v1.1.0", {"shared/logging.py": NEW, "shared/b.py": "b\n", "README.md": "r\n"})
    assert customer.update(door).code != 0
    return customer


def resolve_in(customer: Customer, folder: Path, *arguments: str) -> Result:
    """Run `platform resolve` of a project in another folder."""
    tools = str(customer.root / "scripts/customer-tools")
    command = [sys.executable, "-P", "-c", PLATFORM, "resolve", *arguments]
    return run(command, folder, PYTHONPATH=tools)


class Terminal:
    """`platform resolve` in a pseudo-terminal."""

    def __init__(self, customer: Customer, **environment: str) -> None:
        self.seen = ""
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.chdir(customer.root)
            os.environ["PYTHONPATH"] = str(customer.root / "scripts/customer-tools")
            os.environ.update(environment)
            os.execv(sys.executable, [sys.executable, "-P", "-c", PLATFORM, "resolve"])

    def until(self, text: str) -> str:
        """What is printed up to `text`, or to the end."""
        while text not in self.seen:
            try:
                self.seen += os.read(self.screen, 4096).decode().replace("\r", "")
            except OSError:  # Linux's way to say that the other end is closed
                break
        said, found, self.seen = self.seen.partition(text)
        return said + found

    def type(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def end(self, key: str = "") -> tuple[int, str]:
        """The exit code, and what is left to read, after `key` was pressed until it works.

        A signal between the prompt and the read behind it stays unseen until the next one.
        """
        pressed = 0.0
        while key and not os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if time.monotonic() - pressed > 5:
                pressed = time.monotonic()
                self.type(key)
            time.sleep(0.02)
        said = self.until("\0")
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.screen)
        return code, said


@pytest.fixture
def place(customer: Customer, door: str) -> Customer:
    """Where the conflicts are."""
    return customer if door == "copier" else Customer(customer.root / ".platform-update/project")


@BOTH_DOORS
def test_it_shows_both_sides_and_takes_one_choice_at_a_time(
    customer: Customer, place: Customer
) -> None:
    terminal = Terminal(customer)
    assert "mine" in terminal.until("README.md (shared; suggested: yours)")
    terminal.until("[q]uit: ")
    terminal.type("what?\n")
    terminal.until("README.md (shared")
    terminal.type("y\n")
    terminal.until("shared/b.py (framework; suggested: framework)")
    terminal.type("s\n")
    shown = terminal.until("shared/logging.py (framework; suggested: framework)")
    assert "-line 9\n+line 9, mine\n" in shown
    assert "-line 9\n+line 9, new\n" in shown
    terminal.type("f\n")

    code, said = terminal.end()

    assert (code, "1 left" in said) == (3, True), said
    assert place.read("README.md") == "mine\n"
    assert place.read("shared/logging.py") == NEW
    assert place.git("diff", "--name-only", "--diff-filter=U") == "shared/b.py\n"


def test_all_of_a_zone_at_once(customer: Customer, place: Customer) -> None:
    terminal = Terminal(customer)
    terminal.until("README.md (shared")
    terminal.type("y\n")
    terminal.until("shared/b.py (framework")
    terminal.type("a\n")

    code, said = terminal.end()

    assert code == 0, said
    assert place.read("shared/b.py") == "b\n"
    assert place.read("shared/logging.py") == NEW


@BOTH_DOORS
def test_what_you_have_resolved_in_the_file_stays(customer: Customer, place: Customer) -> None:
    place.write({"shared/logging.py": BY_HAND})

    resolved = customer.platform("resolve", "--use", "framework")

    assert resolved.code == 0, resolved.output
    assert "You have resolved shared/logging.py already" in resolved.output
    assert customer.platform("update", "--continue", "--no-verify").code == 0
    assert customer.read("shared/logging.py") == BY_HAND
    assert customer.read("README.md") == "r\n"


def test_what_you_resolve_in_the_file_meanwhile_stays(customer: Customer, place: Customer) -> None:
    terminal = Terminal(customer)
    terminal.until("README.md (shared")
    place.write({"README.md": "by hand\n", "shared/logging.py": BY_HAND})
    terminal.type("f\n")
    terminal.until("shared/b.py (framework")
    terminal.type("a\n")

    code, said = terminal.end()

    assert code == 0, said
    assert place.read("README.md") == "by hand\n"
    assert place.read("shared/b.py") == "b\n"
    assert place.read("shared/logging.py") == BY_HAND


def test_what_you_have_resolved_in_a_merge_of_your_own_stays(copy: Callable[..., Customer]) -> None:
    customer = copy(folder="platform", name="larger")
    customer.git("switch", "--quiet", "--create", "other")
    customer.commit({"shared/logging.py": NEW, "shared/b.py": "b\n"})
    customer.git("switch", "--quiet", "main")
    customer.commit({"shared/logging.py": MINE, "shared/b.py": "mine\n"})
    with pytest.raises(AssertionError):
        customer.git("merge", "--quiet", "other")
    customer.write({"shared/logging.py": BY_HAND})

    resolved = customer.platform("resolve", "--use", "framework")

    assert resolved.code == 0, resolved.output
    assert customer.read("shared/logging.py") == BY_HAND
    assert customer.read("shared/b.py") == "b\n"


@pytest.mark.parametrize(
    ("folder", "path", "left"),
    [
        (".", "./shared/logging.py", 2),
        (".", "shared", 1),
        ("shared", "logging.py", 2),
        ("shared", "../README.md", 2),
    ],
)
def test_paths_are_seen_from_the_current_folder(
    customer: Customer, folder: str, path: str, left: int
) -> None:
    resolved = resolve_in(customer, customer.root / folder, "--use", "yours", path)
    assert (resolved.code, f"{left} left" in resolved.output) == (3, True), resolved.output


def test_in_the_folder_of_the_update(customer: Customer, place: Customer) -> None:
    arguments = ("--use", "yours", "logging.py", "../README.md", "b.py")
    resolved = resolve_in(customer, place.root / "shared", *arguments)
    assert (resolved.code, "update --continue" in resolved.output) == (0, True), resolved.output


def test_what_does_not_exist_is_refused(customer: Customer, place: Customer) -> None:
    before = place.files()
    for arguments, because in (
        (("shared/loging.py",), "In conflict:\n  README.md\n  shared/b.py\n  shared/logging.py"),
        (("..",), "Not in conflict: .."),
        (("--zone", "sharde"), "Zones: framework, customer, shared, generated, private"),
        (("--zone", "customer"), "Nothing is in conflict in the zone customer"),
    ):
        resolved = customer.platform("resolve", "--use", "yours", *arguments)
        assert (resolved.code, because in resolved.output) == (2, True), resolved.output
    assert place.files() == before


def test_the_editor(customer: Customer, place: Customer, tmp_path: Path) -> None:
    editor = tmp_path / "my editor"
    editor.write_text('#!/bin/sh\ntest "$1" = -w && echo edited > "$2"\n')
    editor.chmod(0o755)
    terminal = Terminal(customer, VISUAL=f"'{editor}' -w", EDITOR="false")
    terminal.until("README.md (shared")
    terminal.type("e\n")
    terminal.until("shared/b.py (framework")
    terminal.type("q\n")

    code, said = terminal.end()

    assert (code, "2 left" in said) == (3, True), said
    assert place.read("README.md") == "edited\n"


def test_an_editor_that_leaves_markers_resolves_nothing(customer: Customer) -> None:
    terminal = Terminal(customer, VISUAL="true")
    terminal.until("README.md (shared")
    terminal.type("e\n")
    assert "still has conflict markers" in terminal.until("shared/b.py (framework")
    terminal.type("q\n")
    assert "3 left" in terminal.end()[1]


@BOTH_DOORS
def test_a_file_without_markers_is_open_until_the_user_chooses(
    vendor: Vendor, copy: Callable[..., Customer], door: str
) -> None:
    vendor.release("v1.0.1", {"shared/x.bin": "\0one", "shared/y.py": "y = 1\n"})
    customer = copy(tag="v1.0.1")
    customer.commit({"shared/x.bin": "\0mine", ".gitattributes": "y.py -merge\n"})
    customer.commit({"shared/y.py": "y = 'mine'\n"})
    vendor.release("v1.1.0", {"shared/x.bin": "\0new", "shared/y.py": "y = 'new'\n"})
    assert customer.update(door).code != 0

    terminal = Terminal(customer, VISUAL="true")
    terminal.until("shared/x.bin (framework")
    terminal.type("e\n")
    assert "stays in conflict" in terminal.until("shared/y.py (framework")
    terminal.type("q\n")
    assert "2 left" in terminal.end()[1]

    unfinished = customer.platform("update", "--continue", "--no-verify")
    assert unfinished.code == 3
    assert "shared/x.bin" in unfinished.output and "shared/y.py" in unfinished.output
    assert customer.platform("resolve", "--use", "framework", "shared/x.bin").code == 3
    assert customer.platform("resolve", "--use", "yours").code == 0
    assert customer.platform("update", "--continue", "--no-verify").code == 0
    assert customer.read("shared/x.bin") == "\0new"
    assert customer.read("shared/y.py") == "y = 'mine'\n"


@BOTH_DOORS
@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_stopping_in_the_middle(customer: Customer, place: Customer, key: str) -> None:
    terminal = Terminal(customer)
    terminal.until("README.md (shared")
    terminal.until("[q]uit: ")
    terminal.type("y\n")
    terminal.until("shared/b.py (framework")
    terminal.until("[q]uit: ")
    before = place.files()

    code, said = terminal.end(key)

    assert code in (3, 130) and "Traceback" not in said, said
    assert place.files() == before
    left = place.git("diff", "--name-only", "--diff-filter=U").splitlines()
    assert left == ["shared/b.py", "shared/logging.py"]
    assert customer.platform("resolve", "--use", "framework").code == 0
    assert customer.platform("update", "--continue").code == 0
    assert customer.read("README.md") == "mine\n"


@BOTH_DOORS
@pytest.mark.parametrize("side", ["yours", "framework"])
def test_a_choice_is_about_what_is_in_conflict(
    vendor: Vendor, copy: Callable[..., Customer], door: str, side: str
) -> None:
    customer = copy()
    mine = LOGGING.replace("line 2\n", "line 2, mine\n").replace("line 18\n", "line 18, mine\n")
    customer.commit({"shared/logging.py": mine})
    new = LOGGING.replace("line 10\n", "line 10, new\n").replace("line 18\n", "line 18, new\n")
    vendor.release("v1.1.0", {"shared/logging.py": new})
    assert customer.update(door).code != 0
    inside = Customer(customer.root / (".platform-update/project" if door == "platform" else ""))
    edited = inside.read("shared/logging.py").replace("line 5\n", "line 5, meanwhile\n")
    inside.write({"shared/logging.py": edited})

    assert customer.platform("resolve", "--use", side).code == 0
    assert customer.platform("update", "--continue", "--no-verify").code == 0

    taken = "mine" if side == "yours" else "new"
    expected = mine.replace("line 10\n", "line 10, new\n").replace("18, mine", f"18, {taken}")
    assert customer.read("shared/logging.py") == expected.replace("line 5\n", "line 5, meanwhile\n")


@BOTH_DOORS
def test_the_report_says_which_side_was_taken(
    vendor: Vendor, copy: Callable[..., Customer], door: str
) -> None:
    names = ["a.py", "b.py", "c.py", "d.bin"]
    customer = copy()
    twice = MINE.replace("line 2\n", "line 2, mine\n")
    customer.commit({f"shared/{name}": twice for name in names[:3]} | {"shared/d.bin": "\0mine"})
    vendor.release("v1.1.0", {f"shared/{name}": NEW for name in names[:3]} | {"shared/d.bin": "\0"})
    assert customer.update(door).code != 0
    inside = customer.root / (".platform-update/project" if door == "platform" else "")
    Customer(inside).write({"shared/c.py": BY_HAND})
    git(inside, "add", "shared/c.py")
    for side, path in (("yours", "a.py"), ("framework", "b.py"), ("framework", "d.bin")):
        customer.platform("resolve", "--use", side, f"shared/{path}")

    finished = customer.platform("update", "--continue", "--no-verify")

    assert finished.code == 0, finished.output
    report = customer.read("docs/updates/v1.0.0-to-v1.1.0.md")
    taken = ("yours", "the framework's", "edited by you", "the framework's")
    for name, who in zip(names, taken, strict=True):
        assert f"- `shared/{name}` ({who})" in report
        assert f"  `shared/{name}` ({who})" in finished.output
    staged = "" if door == "platform" else "A  docs/updates/v1.0.0-to-v1.1.0.md\n"
    assert customer.git("status", "--porcelain", "docs") == staged
