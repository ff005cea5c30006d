"""The ways to update a project, each on its own copy, in a form that all of them understand."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from extensions.update.errors import PlatformError
from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.landing.state import Folder
from extensions.update.request import Request
from extensions.update.transaction import update
from tests.bench.updates.changes import Change, Tree
from tests.bench.updates.judging import Result
from tests.support.template import ENVIRONMENT, ROOT

ANSWERS = ".copier-answers.yml"
COPIER = {
    "copier.yml": "_subdirectory: template\ncustomer:\n  type: str\n  default: Acme\n",
    "template/{{ _copier_conf.answers_file }}.jinja": "{{ _copier_answers | to_nice_yaml -}}\n",
}
COOKIECUTTER = {"slug": "project", "customer": "Acme", "_copy_without_render": ["*"]}
UV = ROOT / ".cache/uv/bin/uv"
DRIVERS = Path(__file__).with_name("drivers")


def git(folder: Path, *arguments: object, ok: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(
        ["git", "-C", folder, *map(str, arguments)], capture_output=True, check=False
    )
    if done.returncode not in ok:
        raise RuntimeError(f"git {arguments}: {done.stderr.decode(errors='replace')}")
    return os.fsdecode(done.stdout)


def write(folder: Path, tree: Tree, extra: dict[str, str] | None = None) -> None:
    """Make `folder` hold the tree, and nothing else but git's own."""
    for path in sorted(folder.rglob("*"), reverse=True) if folder.exists() else ():
        if ".git" not in path.relative_to(folder).parts:
            path.unlink() if path.is_symlink() or path.is_file() else path.rmdir()
    contents = {name: text.encode() for name, text in (extra or {}).items()}
    for name, content in (tree.files | tree.ignored | contents).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if name in tree.executable else 0o644)


def commit(folder: Path, tag: str = "") -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", tag or "change")
    if tag:
        git(folder, "tag", tag)


def repository(folder: Path, *versions: tuple[Tree, dict[str, str]], below: str = "") -> Path:
    """A template's repository: each version a tagged commit, its tree in the folder `below`."""
    git(folder.parent, "init", "--quiet", "--initial-branch=main", folder)
    for number, (tree, extra) in enumerate(versions, 1):
        inside = Tree(
            {f"{below}/{name}" if below else name: text for name, text in tree.files.items()},
            {f"{below}/{name}" if below else name for name in tree.executable},
        )
        write(folder, inside, extra)
        commit(folder, f"v{number}.0.0")
    return folder


def project(folder: Path, base: Tree, ours: Tree, extra: dict[str, str]) -> Path:
    """A customer's project: the base committed, then the customer's changes."""
    start = folder.parent / f"start-{sorted(extra)}"
    if not start.exists():
        git(folder.parent, "init", "--quiet", "--initial-branch=main", start)
        write(start, base, dict.fromkeys(extra, ""))
        commit(start)
    shutil.copytree(start, folder, symlinks=True)
    write(folder, ours, extra)
    commit(folder)
    return folder


def read(folder: Path, named: set[str] | None = None, failed: str = "") -> Result:
    """The project as it lies there after an update."""
    result = Result({}, set(), named=named or set(), failed=failed)
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_file() and ".git" not in path.relative_to(folder).parts:
            result.files[name] = path.read_bytes()
            if path.stat().st_mode & 0o100:
                result.executable.add(name)
    for record in git(folder, "ls-files", "--unmerged", "-z").split("\0")[:-1]:
        meta, _, name = record.partition("\t")
        blob = git(folder, "cat-file", "blob", meta.split()[1]).encode(errors="surrogateescape")
        text = blob if meta.endswith("2") else b""
        result.conflicts[name] = result.conflicts.get(name, b"") + text
    for name in [name for name in result.files if name.endswith(".rej")]:
        result.conflicts.setdefault(name.removesuffix(".rej"), b"")
        result.conflicts[name.removesuffix(".rej")] += result.files[name].replace(b"\n+", b"\n")
    return result


class Corpus:
    """The cells, the folder for their projects, and the process that runs Copier for them."""

    def __init__(self, folder: Path, base: Tree, evolutions: dict[str, Change]) -> None:
        self.folder, self.base = folder, base
        self.worker = CopierWorker()
        self.theirs = {name: changed(base, change) for name, change in evolutions.items()}
        self.copier = {
            name: repository(
                folder / f"copier-{name}", (base, COPIER), (tree, COPIER), below="template"
            )
            for name, tree in self.theirs.items()
        }

    def copier_project(self, name: str, ours: Tree, evolution: str) -> Path:
        answers = f"_commit: v1.0.0\n_src_path: {self.copier[evolution]}\ncustomer: Acme\n"
        return project(self.folder / name, self.base, ours, {ANSWERS: answers})


def changed(base: Tree, change: Change) -> Tree:
    tree = Tree(dict(base.files), set(base.executable))
    change(tree)
    return tree


Tool = Callable[[Corpus, str, Tree, str], Result]


def engine(corpus: Corpus, cell: str, ours: Tree, evolution: str) -> Result:
    """This template's engine, called as the `platform update` command calls it."""
    root = corpus.copier_project(cell, ours, evolution)
    template = corpus.copier[evolution]
    request = Request("update", root, template, "v2.0.0", str(template), verify=False)
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed), Folder(root).locked():
            code = update(corpus.worker, request)
    except PlatformError as error:
        return read(root, failed=error.message)
    state = Folder(root).load()
    if code == 0 or state is None:
        text = next(root.glob("docs/updates/*.md")).read_text()
        return read(root, _notes(text))
    result = read(Folder(root).project)
    result.named = {note.path for note in state.plan.notes}
    ignored = {name: root / name for name in ours.ignored if (root / name).exists()}
    result.files |= {name: path.read_bytes() for name, path in ignored.items()}
    return result


def _notes(report: str) -> set[str]:
    """The files that the report's notes name."""
    from extensions.update.report.text import NOTES

    found: set[str] = set()
    for section in report.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        if title in NOTES.values():
            found |= {line.split("`")[1] for line in body.splitlines() if line.startswith("- `")}
    return found


def plain_copier(corpus: Corpus, cell: str, ours: Tree, evolution: str) -> Result:
    """`copier update` without this template's migrations."""
    import copier

    root = corpus.copier_project(cell, ours, evolution)
    with redirect_stderr(io.StringIO()):
        copier.run_update(str(root), defaults=True, overwrite=True, unsafe=True, quiet=True)
    return read(root)


def git_merge(corpus: Corpus, cell: str, ours: Tree, evolution: str) -> Result:
    """`git merge` of a branch on which each version of the template is rendered."""
    root = project(corpus.folder / cell, corpus.base, ours, {})
    aside = {name: root / name for name in ours.ignored}
    for path in aside.values():
        path.unlink()
    git(root, "checkout", "--quiet", "-b", "template", "main~1")
    write(root, corpus.theirs[evolution])
    commit(root)
    git(root, "checkout", "--quiet", "main")
    for name, path in aside.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ours.ignored[name])
    git(root, "merge", "--quiet", "template", ok=(0, 1))
    return read(root)


def cruft(corpus: Corpus, cell: str, ours: Tree, evolution: str) -> Result:
    """`cruft update` of a cookiecutter template with the same files."""
    template = corpus.folder / f"cruft-{evolution}"
    if not template.exists():
        extra = {"cookiecutter.json": json.dumps(COOKIECUTTER)}
        versions = [(tree, extra) for tree in (corpus.base, corpus.theirs[evolution])]
        repository(template, *versions, below="{{cookiecutter.slug}}")
    state = {
        "template": str(template),
        "commit": git(template, "rev-parse", "v1.0.0").strip(),
        "checkout": None,
        "context": {"cookiecutter": COOKIECUTTER | {"_template": str(template)}},
        "directory": None,
    }
    root = project(corpus.folder / cell, corpus.base, ours, {".cruft.json": json.dumps(state)})
    failed = driver("cruft", "cruft", root)
    return read(root, failed=failed)


def fullstack(corpus: Corpus, cell: str, ours: Tree, evolution: str) -> Result:
    """The merge of fastapi-fullstack's `upgrade`. It renders its own template only, so that it gets
    the rendered trees, and the declared renames, from here."""
    root = project(corpus.folder / cell, corpus.base, ours, {})
    trees = [corpus.folder / f"{cell}-{name}" for name in ("base", "ours", "theirs")]
    tracked = Tree(ours.files, ours.executable)
    for path, tree in zip(trees, (corpus.base, tracked, corpus.theirs[evolution]), strict=True):
        path.mkdir()
        write(path, tree)
    renames = json.dumps(list(corpus.theirs[evolution].renamed.items()))
    failed = driver("fullstack", "fastapi-fullstack", root, *trees, renames)
    return read(root, failed=failed)


TOOLS: dict[str, Tool] = {
    "this engine": engine,
    "copier update": plain_copier,
    "git merge": git_merge,
    "cruft update": cruft,
    "fastapi-fullstack upgrade": fullstack,
}
_running: dict[str, subprocess.Popen[str]] = {}


def driver(name: str, package: str, *arguments: object) -> str:
    """Let a long-running process in the package's own venv do one update; return its error."""
    if name not in _running:
        _running[name] = subprocess.Popen(
            [venv(package) / "bin/python", DRIVERS / f"{name}.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    process = _running[name]
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        del _running[name]
        return "the process ended"
    return str(json.loads(answer))


def venv(package: str) -> Path:
    """A venv with one package that only the benchmarks need."""
    path = ROOT / ".cache/bench" / package
    if not (path / "bin" / package).exists():
        subprocess.run(
            [UV, "venv", "--quiet", "--allow-existing", "--python", sys.executable, path],
            check=True,
        )
        subprocess.run(
            [UV, "pip", "install", "--quiet", "--python", path / "bin/python", package], check=True
        )
    return path


def use_environment() -> None:
    """git without the user's settings, as in the tests."""
    os.environ.update(ENVIRONMENT)


def clean(folder: Path, cell: str) -> None:
    for path in folder.glob(f"{cell}*"):
        shutil.rmtree(path, ignore_errors=True)
