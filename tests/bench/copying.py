"""Creating a project: `copier copy` against `git clone` and cookiecutter with the same files."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from plumbum.cmd import git

from tests.bench.measuring import alternating, run, table
from tests.support.template import clone_template

BIN = Path(sys.executable).parent
ROUNDS = 7


def cookiecutter_template(project: Path, template: Path, destination: Path) -> None:
    """A cookiecutter template that renders to the files of `project`.

    What is static for Copier is copied without rendering here too.
    """
    names = [name for name in git("-C", project, "ls-files", "-z").split("\0") if name]
    static = [name for name in names if (template / "template" / name).exists()]
    shutil.copytree(
        project,
        destination / "{{cookiecutter.slug}}",
        ignore=shutil.ignore_patterns(".git", ".env"),
    )
    settings = destination / "{{cookiecutter.slug}}" / "platform.toml"
    text = settings.read_text()
    settings.write_text(text.replace("Acme Corporation", "{{ cookiecutter.customer_name }}"))
    context = {
        "slug": "acme",
        "customer_name": "Acme Corporation",
        "_copy_without_render": static,
    }
    (destination / "cookiecutter.json").write_text(json.dumps(context))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        tmp = Path(folder)
        template = clone_template(tmp / "template")
        copier = [BIN / "copier", "copy", "--trust", "--defaults", "--quiet", template]
        project = tmp / "project"
        run(*copier, project)
        (tmp / "cookiecutter").mkdir()
        cookiecutter_template(project, template, tmp / "cookiecutter")
        for name in ("copier", "skip", "clone", "cookie"):
            (tmp / name).mkdir()
        cookie = [BIN / "cookiecutter", "--no-input", "--output-dir"]
        times = alternating(
            {
                "copier copy": lambda n: run(*copier, tmp / "copier" / str(n)),
                "copier copy --skip-tasks": lambda n: run(
                    *copier, "--skip-tasks", tmp / "skip" / str(n)
                ),
                "cookiecutter": lambda n: run(
                    *cookie, tmp / "cookie" / str(n), tmp / "cookiecutter"
                ),
                "git clone": lambda n: run("git", "clone", project, tmp / "clone" / str(n)),
            },
            ROUNDS,
        )
        files = len(git("-C", project, "ls-files").splitlines())
        base = times["copier copy"]
        table(
            f"Creating a project of {files} files, median of {ROUNDS}",
            ("command", "seconds", "ratio to copier copy"),
            [(name, f"{value:.2f}", f"{value / base:.2f}") for name, value in times.items()],
        )


if __name__ == "__main__":
    main()
