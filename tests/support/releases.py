"""What a release must declare in releases.toml: paths that are gone, questions that changed."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

from tests.support.updates import git


def releases(root: Path) -> list[dict[str, Any]]:
    """The listed releases, oldest first."""
    listed = tomllib.loads((root / "releases.toml").read_text()).get("release", [])
    return sorted(listed, key=lambda one: Version(one["version"]))


def problems(root: Path) -> list[str]:
    """What changed in the work tree since the last release with a commit, and is not declared."""
    listed = releases(root)
    past = [one for one in listed if one.get("commit")]
    if not past:
        return []
    last = past[-1]
    since = [one for one in listed if Version(one["version"]) > Version(last["version"])]
    return _paths(root, last["commit"], since) + _questions(root, last["commit"], since)


def _paths(root: Path, commit: str, since: list[dict[str, Any]]) -> list[str]:
    old = _names(git(root, "ls-tree", "-r", "-z", "--name-only", commit, "template/"))
    new = _names(git(root, "ls-files", "-z", "-co", "--exclude-standard", "template/"))
    new = {path for path in new if any((root / "template" / f"{path}{s}").exists() for s in _ENDS)}
    removed = {path for one in since for path in one.get("removed", [])}
    renamed = {old: new for one in since for old, new in one.get("renamed", {}).items()}
    found = [
        f"{path} is gone: list it as removed or renamed"
        for path in sorted(old - new - removed - set(renamed))
    ]
    found += [f"{path} is listed as removed and is there" for path in sorted(removed & new)]
    targets = set(renamed.values()) - new - removed - set(renamed)
    return found + [f"{path} is listed as a new name and is not there" for path in sorted(targets)]


_ENDS = ("", ".jinja")


def _names(listed: str) -> set[str]:
    return {
        path.removeprefix("template/").removesuffix(".jinja") for path in listed.split("\0") if path
    }


def _questions(root: Path, commit: str, since: list[dict[str, Any]]) -> list[str]:
    old = _asked(git(root, "show", f"{commit}:copier.yml"))
    new = _asked((root / "copier.yml").read_text())
    rules = [one.get("questions", {}) for one in since]
    renamed = {old: new for rule in rules for old, new in rule.get("renamed", {}).items()}
    removed = {name for rule in rules for name in rule.get("removed", [])}
    changed = {name for rule in rules for name in rule.get("changed", {})}
    found = []
    for name, question in old.items():
        now = new.get(renamed.get(name, name))
        if now is None:
            if name not in removed:
                found.append(f"question {name} is gone: list it as removed or renamed")
        elif name not in changed and _narrower(question, now):
            found.append(f"question {name} refuses old answers: list it as changed")
    # Copier renders the old version with the old answers, but with this `_exclude`.
    patterns = yaml.safe_load((root / "copier.yml").read_text()).get("_exclude", [])
    excluded = "\n".join(re.findall(r"\{[{%].*?[%}]\}", "\n".join(patterns)))
    found += [
        f"_exclude uses the new question {name}: write ({name} | default(…)), old projects lack it"
        for name in new.keys() - old.keys()
        if re.search(rf"\b{name}\b(?!\s*\|\s*default)", excluded)
    ]
    return found


def _asked(text: str) -> dict[str, Any]:
    return {name: one for name, one in yaml.safe_load(text).items() if not name.startswith("_")}


def _narrower(old: Any, new: Any) -> bool:
    """Whether an answer to `old` may be wrong for `new`."""
    old, new = (one if isinstance(one, dict) else {"default": one} for one in (old, new))
    if any(old.get(key) != new.get(key) for key in ("type", "multiselect", "validator", "secret")):
        return True
    return not _values(old) <= _values(new)


def _values(question: dict[str, Any]) -> set[str]:
    choices = question.get("choices") or []
    return {str(one) for one in (choices.values() if isinstance(choices, dict) else choices)}
