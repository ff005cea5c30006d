"""All commands of the guides about updates run and do what the guides say."""

import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.template import ROOT as REPOSITORY
from tests.support.updates import FILES, PLATFORM, Customer, Vendor, git

GUIDES = REPOSITORY / "template/docs/customer"
DAILY, IN_DEPTH = ((GUIDES / f"{name}.md").read_text() for name in ("updates", "updates-in-depth"))
COMMANDS = set(re.findall(r"uv run platform ((?:update|resolve)[^`\n]*)", DAILY + IN_DEPTH))
LOGGING = str(FILES["shared/logging.py"])
MINE = LOGGING.replace("line 9\n", "line 9, mine\n")


def test_every_command(vendor: Vendor, copy: Callable[..., Customer], tmp_path: Path) -> None:
    vendor.configure(
        model_provider={"type": "str", "default": "offline"},
        services={"type": "yaml", "default": "[web]"},
    )
    vendor.release("v1.1.0")
    vendor.release("v1.2.0", {"shared/logging.py": LOGGING.replace("line 9\n", "line 9, new\n")})
    customer = copy(tag="v1.1.0")
    left = set(COMMANDS)

    def type_in(command: str, code: int = 0, **names: object) -> str:
        left.discard(command)
        words = shlex.split(command)
        if words[0] == "update" and not {"--continue", "--abort", "--source"} & set(words):
            words.append("--no-verify")
        result = customer.platform(*(str(names.get(word, word)) for word in words))
        assert result.code == code, result.output
        return result.output

    customer.commit({"shared/logging.py": MINE})
    type_in("update --preview")
    assert '"conflict"' in type_in("update --preview --json")
    type_in("update", code=3)
    type_in("resolve", code=2)
    type_in("resolve --use yours shared")
    type_in("update --continue")
    assert customer.read("shared/logging.py") == MINE
    customer.git("revert", "--no-edit", "HEAD")
    type_in("update --to v1.2.0", code=3)
    type_in("resolve --use yours")
    type_in("update --abort")
    type_in("update --to v1.2.0", code=3)
    type_in("resolve --use framework --zone framework")
    type_in("update --continue --no-verify")
    assert "line 9, new\n" in customer.read("shared/logging.py")
    type_in("update --data model_provider=openai")
    assert "model_provider: openai" in customer.read(".copier-answers.yml")
    type_in('update --data "services=[]"')
    assert "services: []" in customer.read(".copier-answers.yml")
    type_in('update --data "services=[web]"')
    vendor.release("v1.3.0", {"shared/new.py": "new\n"})
    bundle = tmp_path / "release.bundle"
    git(vendor.root, "bundle", "create", "--quiet", bundle, "--all")
    vendor.root.rename(tmp_path / "moved")
    type_in("update --from release.bundle", **{"release.bundle": bundle})
    assert customer.read("shared/new.py") == "new\n"
    type_in("update --source ADDRESS", ADDRESS=tmp_path / "moved")
    assert str(tmp_path / "moved") in customer.read(".copier-answers.yml")
    assert left == set()


def test_a_claimed_file_stays(vendor: Vendor, copy: Callable[..., Customer]) -> None:
    """With the lines of the guide for platform.toml."""
    vendor.release("v1.1.0")
    customer = copy()
    vendor.release("v1.2.0", {"shared/logging.py": LOGGING.replace("line 9\n", "line 9, new\n")})
    [claims] = re.findall(r"```toml\n(\[ownership\].*?)```", IN_DEPTH, re.S)
    settings = customer.read("platform.toml") + claims
    customer.commit({"platform.toml": settings, "shared/logging.py": MINE})

    result = customer.platform("update", "--no-verify")

    assert result.code == 0, result.output
    assert customer.read("shared/logging.py") == MINE
    [report] = (customer.root / "docs/updates").iterdir()
    assert "shared/logging.py" in report.read_text()


def test_the_merge_driver(copy: Callable[..., Customer]) -> None:
    customer = copy()
    assert "merge.platform.driver" in IN_DEPTH
    base = customer.read("platform.toml")
    for name, text in (("base", base), ("ours", base + "mine = 1\n"), ("theirs", base + "b = 2\n")):
        (customer.root.parent / name).write_text(text)
    files = [customer.root.parent / name for name in ("base", "ours", "theirs")]

    result = customer.platform("merge-driver", *files, "platform.toml")

    assert result.code == 0, result.output
    assert files[1].read_text() == base + "mine = 1\nb = 2\n"


@pytest.mark.parametrize("theirs", ["a = 2\nb = 1\n", "a = 1\nb = 2\n"], ids=["", "clean"])
def test_your_own_merges_where_uv_is_missing(
    copy: Callable[..., Customer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, theirs: str
) -> None:
    customer = copy()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/uv").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "bin/uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    [command] = re.findall(r"^git (config merge.platform.*)$", IN_DEPTH, re.M)
    customer.git(*shlex.split(command))
    gap = "\n\n\n\n"
    old, mine, new = (
        text.replace("\nb", f"{gap}b") for text in ("a = 1\nb = 1\n", "a = 3\nb = 1\n", theirs)
    )
    binary = {"x.bin": "\0one"}
    customer.commit({".gitattributes": "* merge=platform\n", "own.toml": old, **binary})
    customer.git("switch", "--quiet", "--create", "other")
    customer.commit({"own.toml": new, "x.bin": "\0theirs"})
    customer.git("switch", "--quiet", "main")
    customer.commit({"own.toml": mine, "x.bin": "\0mine"})

    with pytest.raises(AssertionError):
        customer.git("merge", "--quiet", "other")

    merged = customer.read("own.toml")
    if theirs.startswith("a = 2"):
        assert "<<<<<<< ours\na = 3\n||||||| base\na = 1\n=======\na = 2\n>>>>>>> theirs" in merged
    else:
        assert merged == mine.replace("b = 1", "b = 2")
    assert "x.bin" in customer.git("diff", "--name-only", "--diff-filter=U")


def test_your_own_merges_by_structure(
    copy: Callable[..., Customer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command of the guide and its lines for .gitattributes."""
    customer = copy()
    (tmp_path / "platform.py").write_text(PLATFORM)
    uv = tmp_path / "uv"
    uv.write_text(
        f"#!/bin/sh\nshift 2\nPYTHONPATH={customer.root}/scripts/customer-tools"
        f' exec {sys.executable} -P {tmp_path}/platform.py "$@"\n'
    )
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    [command] = re.findall(r"^git (config merge.platform.*)$", IN_DEPTH, re.M)
    [attributes] = re.findall(r"```gitattributes\n(.*?)```", IN_DEPTH, re.S)
    toml, lock = customer.read("platform.toml"), '{\n  "a": 1\n}\n'
    customer.git(*shlex.split(command))
    customer.commit({".gitattributes": attributes, "package-lock.json": lock})
    customer.git("switch", "--quiet", "--create", "other")
    customer.commit({"platform.toml": toml + "theirs = 2\n"})
    customer.git("switch", "--quiet", "main")
    customer.commit({"platform.toml": toml + "mine = 1\n"})

    customer.git("merge", "--quiet", "other")

    assert customer.read("platform.toml") == toml + "mine = 1\ntheirs = 2\n"
    checked = customer.git("check-attr", "merge", "package-lock.json", "a/package.json")
    assert checked.splitlines() == [
        "package-lock.json: merge: unspecified",
        "a/package.json: merge: platform",
    ]
