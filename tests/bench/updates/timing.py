"""The time of an update in which a tenth of the template's files changed.

Every tool gets the same two versions and the same project. Lock files and their inputs do not
change, because only this template's engine would rebuild them.
"""

import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

from tests.bench.measuring import alternating, run, table
from tests.bench.updates.changes import Tree
from tests.bench.updates.tools import commit, git, repository, use_environment, venv
from tests.support.template import clone_template
from tests.support.updates import PLATFORM

BIN = Path(sys.executable).parent
COPIER = BIN / "copier"
ROUNDS = 5
KEEP = ("pyproject.toml", "package.json", "constraints.txt", "lock.json", ".lock", ".png", ".ico")


def two_versions(folder: Path, files: int) -> Path:
    """This template, filled up to `files` files, with a second version."""
    template = clone_template(folder / "template", "v1.0.0")
    names = git(template, "ls-files", "template").splitlines()
    for number in range(files - len(names)):
        path = template / f"template/docs/customer/more/{number % 20}/page-{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"Page {number}, line {line}.\n" for line in range(40)))
    git(template, "tag", "--delete", "v1.0.0")
    commit(template, "v1.0.0")
    names = git(template, "ls-files", "template").splitlines()
    editable = [name for name in names if not name.endswith((*KEEP, ".jinja", ".json"))]
    for name in editable[:: max(1, len(editable) * 10 // len(names))]:
        with (template / name).open("a") as file:
            file.write("\n")
    commit(template, "v2.0.0")
    pack(template)
    return template


def pack(template: Path) -> None:
    """Store a template as a git host does."""
    git(template, "gc", "--quiet")


def without_migrations(template: Path, folder: Path) -> Path:
    """The same template for plain Copier."""
    shutil.copytree(template, folder, symlinks=True)
    for tag in ("v1.0.0", "v2.0.0"):
        git(folder, "checkout", "--quiet", "--force", "-B", "plain", tag)
        config = yaml.safe_load((folder / "copier.yml").read_text())
        del config["_migrations"]
        (folder / "copier.yml").write_text(yaml.safe_dump(config, sort_keys=False, width=1000))
        git(folder, "tag", "--delete", tag)
        commit(folder, tag)
    pack(folder)
    return folder


def render(template: Path, tag: str, folder: Path) -> Path:
    run(
        COPIER,
        "copy",
        "--trust",
        "--defaults",
        "--skip-tasks",
        "--quiet",
        "--vcs-ref",
        tag,
        template,
        folder,
    )
    return folder


def customise(project: Path) -> None:
    """A few edits, so that there is something to merge."""
    for name in git(project, "ls-files", "*.py").splitlines()[::25]:
        path = project / name
        path.write_text(f"# Acme\n{path.read_text()}")
    commit(project)


def start(project: Path) -> Path:
    git(project, "init", "--quiet", "--initial-branch=main")
    commit(project)
    return project


def as_tree(folder: Path) -> Tree:
    names = git(folder, "ls-files", "-z").split("\0")[:-1]
    paths = {name: folder / name for name in names if not (folder / name).is_symlink()}
    return Tree(
        {name: path.read_bytes() for name, path in paths.items()},
        {name for name, path in paths.items() if path.stat().st_mode & 0o100},
    )


def projects(tmp: Path, template: Path) -> dict[str, Path]:
    """For each tool a project of version 1, with the customer's edits, ready to be updated."""
    new = start(render(template, "v2.0.0", tmp / "rendered"))
    found = {"engine": start(render(template, "v1.0.0", tmp / "engine"))}
    plain = without_migrations(template, tmp / "plain-template")
    found["copier"] = start(render(plain, "v1.0.0", tmp / "copier"))
    found["merge"] = start(render(template, "v1.0.0", tmp / "merge"))
    old_tree, new_tree = as_tree(found["merge"]), as_tree(new)
    found["cruft"] = cruft_project(tmp, old_tree, new_tree)
    git(found["merge"], "checkout", "--quiet", "-b", "template")
    git(found["merge"], "rm", "--quiet", "-r", ".")
    shutil.copytree(new, found["merge"], ignore=shutil.ignore_patterns(".git"), dirs_exist_ok=True)
    commit(found["merge"])
    git(found["merge"], "checkout", "--quiet", "main")
    for project in found.values():
        customise(project)
    return found


def cruft_project(tmp: Path, old: Tree, new: Tree) -> Path:
    context = {"slug": "cruft", "_copy_without_render": ["*"]}
    extra = {"cookiecutter.json": json.dumps(context)}
    template = repository(
        tmp / "cruft-template", (old, extra), (new, extra), below="{{cookiecutter.slug}}"
    )
    pack(template)
    command = [venv("cruft") / "bin/cruft", "create", "--no-input", "--checkout", "v1.0.0"]
    run(*command, "--output-dir", tmp, template)
    project = start(tmp / "cruft")
    state = project / ".cruft.json"
    state.write_text(re.sub(r'"checkout": ".*?"', '"checkout": null', state.read_text()))
    commit(project)
    return project


def measure(tmp: Path, template: Path) -> dict[str, float]:
    found = projects(tmp, template)

    def at(name: str, number: int) -> Path:
        return tmp / "runs" / name / str(number)

    def platform(root: Path, *options: object) -> None:
        environment = os.environ | {"PYTHONPATH": str(root / "scripts/customer-tools")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = (sys.executable, "-P", "-c", PLATFORM, "update", "--no-verify")
        run(*command, *options, cwd=root, env=environment)

    for name, project in found.items():
        for run_of in (name, "first", "hook") if name == "engine" else (name,):
            for number in range(ROUNDS):
                copy = shutil.copytree(project, at(run_of, number), symlinks=True)
                git(copy, "status")  # the index has the files' times, as in a folder in use
                if run_of == "engine":
                    platform(copy, "--preview")  # the new engine is there, with bytecode
                elif run_of == "first":
                    platform(copy, "--source", template)  # only the project's tools have bytecode

    update = (COPIER, "update", "--trust", "--defaults", "--skip-tasks", "--quiet")
    return alternating(
        {
            "platform update": lambda n: platform(at("engine", n)),
            "platform update, without a preview before": lambda n: platform(at("first", n)),
            "copier update, through this engine": lambda n: run(*update, cwd=at("hook", n)),
            "copier update, plain": lambda n: run(*update, cwd=at("copier", n)),
            "cruft update": lambda n: run(
                venv("cruft") / "bin/cruft", "update", "--skip-apply-ask", cwd=at("cruft", n)
            ),
            "git merge of a rendered branch": lambda n: run(
                "git", "merge", "--quiet", "template", cwd=at("merge", n)
            ),
        },
        ROUNDS,
    )


def main() -> None:
    use_environment()
    for files in (0, 1000):
        with tempfile.TemporaryDirectory() as folder:
            tmp = Path(folder)
            template = two_versions(tmp, files)
            times = measure(tmp, template)
            count = len(git(tmp / "rendered", "ls-files").splitlines())
            changed = len(git(template, "diff", "--name-only", "v1.0.0", "v2.0.0").splitlines())
            plain, cruft = times["copier update, plain"], times["cruft update"]
            table(
                f"An update of {count} files, {changed} of them changed; median of {ROUNDS}",
                ("command", "seconds", "ratio to plain Copier", "ratio to cruft"),
                [
                    (name, f"{value:.2f}", f"{value / plain:.2f}", f"{value / cruft:.2f}")
                    for name, value in times.items()
                ],
            )


if __name__ == "__main__":
    main()
