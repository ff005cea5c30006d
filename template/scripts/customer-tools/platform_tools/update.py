"""The start of `platform update`, `platform resolve` and `platform merge-driver`.

The update engine comes with the template. This file fetches the template, puts the engine of the
wanted version into git's own folder (`.git/platform-engine`), and becomes that engine. It needs the
standard library and git, and nothing else of these tools: an update that was stopped while it
replaced files may have left tools of two versions.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from argparse import ArgumentParser, BooleanOptionalAction, RawDescriptionHelpFormatter
from contextlib import suppress
from inspect import cleandoc
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, NoReturn

COMMANDS = ("update", "resolve", "merge-driver")
_ANSWERS = ".copier-answers.yml"
_TOOLS = "scripts/customer-tools/platform_tools"
# What of a release the engine consists of.
_ENGINE = ("extensions", f"template/{_TOOLS}/ownership.toml")
_PROGRAM = "extensions/update/__main__.py"
# A surrounding git (a hook, an alias) sets these; they would redirect git to another repository.
_INHERITED = ("DIR", "INDEX_FILE", "WORK_TREE", "PREFIX", "COMMON_DIR", "OBJECT_DIRECTORY")
# Copier's short addresses.
_SHORT = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
_UNFINISHED = "Go on: uv run platform update --continue\nUndo: uv run platform update --abort"


class StartError(Exception):
    """The engine cannot be started: message, what to do next, exit code (1 failed, 2 input)."""

    def __init__(self, message: str, hint: str = "", code: int = 1) -> None:
        super().__init__(f"{message}\n{hint}".rstrip())
        self.code = code


def main(arguments: list[str]) -> int:
    """Run one of `COMMANDS`; return its exit code, unless the engine takes over this process."""
    top = ArgumentParser("platform", allow_abbrev=False)
    register(top.add_subparsers(required=True))
    options = vars(top.parse_args(arguments))
    run, parser = options.pop("run"), options.pop("parser")
    for name in _INHERITED:
        os.environ.pop(f"GIT_{name}", None)
    try:
        run(parser, **options)
    except (StartError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return getattr(error, "code", 1)
    return 0


def register(commands: Any) -> None:
    """Add `COMMANDS` to the subparsers of an argparse parser."""
    add = command(commands, "update", _update).add_argument
    add("--preview", action="store_true", help="show what would change; change nothing")
    add("--json", action="store_true", help="with --preview: print JSON")
    add("--to", metavar="TAG", help="the version; the newest by default")
    add("--from", dest="bundle", metavar="BUNDLE", help="update from a git bundle")
    add("--data", metavar="NAME=VALUE", action="append", help="change an answer; repeatable")
    add(
        "--verify",
        action=BooleanOptionalAction,
        default=True,
        help="run platform verify in the new version before it lands (the default)",
    )
    add("--continue", dest="proceed", action="store_true", help="go on with an unfinished update")
    add("--abort", action="store_true", help="undo an unfinished update")
    add("--offer", action="store_true", help="update on a branch and open a request: for workflows")
    add("--source", metavar="ADDRESS", help="only record where the template has moved")
    add = command(commands, "resolve", _resolve).add_argument
    add("paths", metavar="PATH", nargs="*", help="only these files or folders; all by default")
    add("--use", dest="side", choices=("yours", "framework"), help="take this side without asking")
    add("--zone", help="only paths of this zone: framework, shared, customer…")
    add = command(commands, "merge-driver", _merge_driver).add_argument
    for name in ("base", "ours", "theirs", "path"):
        add(name, metavar=name.upper())


def command(commands: Any, name: str, run: Any, **options: Any) -> ArgumentParser:
    """Add a command that calls `run`, whose docstring is its help; return its parser."""
    text = cleandoc(run.__doc__)
    parser: ArgumentParser = commands.add_parser(
        name,
        help=text.partition("\n")[0].replace("%", "%%"),
        description=text,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
        **options,
    )
    parser.set_defaults(run=run, parser=parser)
    return parser


def _update(
    parser: ArgumentParser,
    *,
    to: str | None,
    bundle: str | None,
    data: list[str] | None,
    **options: Any,
) -> None:
    """Update this project to another version of the platform, and lose nothing.

    Exit codes: 0 done or nothing to do, 1 failed or refused, 2 wrong input, 3 conflicts are left,
    130 stopped by Ctrl-C.
    """
    modes = ("preview", "proceed", "abort", "offer", "source")
    chosen = [mode for mode in modes if options[mode] not in (False, None)]
    if len(chosen) > 1:
        parser.error("only one of --preview, --continue, --abort, --offer and --source")
    mode = chosen[0] if chosen else "update"
    begins = mode in ("update", "preview", "offer")
    given = [name for name, one in (("--to", to), ("--from", bundle), ("--data", data)) if one]
    if given and not begins:
        parser.error(f"{given[0]} does not go with --{mode.replace('proceed', 'continue')}")
    if options["json"] and mode != "preview":
        parser.error("--json goes with --preview")
    if wrong := [pair for pair in data or () if "=" not in pair]:
        parser.error(f"--data needs NAME=VALUE, not {wrong[0]}")
    root, own = _project()
    request: dict[str, Any] = {"action": mode, "root": str(root), "verify": options["verify"]}
    if mode in ("proceed", "abort"):
        if not (own / "platform-update/state.json").exists():
            raise StartError("No update is unfinished.", "Begin one: uv run platform update", 2)
        _become(_kept_engine(root, own), request)
    request["data"] = dict(pair.partition("=")[::2] for pair in data or ())
    request |= {"json": options["json"], "answers_file": _answers_file(root)}
    home = _answer(root, "_src_path")
    request["source"] = options["source"] or home  # a bundle is no place where a template lives
    locked = mode in ("update", "offer")
    place = own / "platform-update" if locked else Path(mkdtemp(prefix="platform-"))
    if locked:
        _claim(root, place)
    request |= {"locked": True} if locked else {"temporary": str(place)}
    try:
        address = bundle or request["source"]
        template = _fetch(address, place / "template", root if address == home else Path.cwd())
        ref = to if begins else _answer(root, "_commit")
        request |= {"template": str(template), "ref": _commit(template, ref)}
        engine = _export(template, request["ref"], own)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    _become(engine, request)


def _resolve(_: ArgumentParser, **options: Any) -> None:
    """Work through the conflicts of an update. Exit code 3 while any is left."""
    root, own = _project()
    _become(_kept_engine(root, own), {"action": "resolve", "root": str(root), **options})


def _merge_driver(_: ArgumentParser, path: str, **files: str) -> None:
    """Merge three versions of a file for git, which passes %O %A %B %P."""
    root, own = _project()
    versions = [str(Path(files[name]).absolute()) for name in ("base", "ours", "theirs")]
    request = {"action": "merge-driver", "root": str(root), "files": versions, "path": path}
    _become(_kept_engine(root, own), request)


def _project() -> tuple[Path, Path]:
    """The project around the current folder, and where git's own folder has its updates."""
    start = Path.cwd()
    for folder in (start, *start.parents):
        # A project that lacks its answers is still a project: the engine says what is missing.
        if (folder / _ANSWERS).exists() or (folder / _TOOLS).exists():
            # The new version of an unfinished update is in .platform-update/project.
            inside = folder.parent.name == ".platform-update"
            root = folder.parents[1] if inside else folder
            done = _git(root, "rev-parse", "--absolute-git-dir", "--show-prefix")
            if b"not a git repository" in done.stderr:
                hint = "git init && git add --all && git commit"
                raise StartError(f"{root} is not in git.", hint, 2)
            if done.returncode:
                raise StartError(os.fsdecode(done.stderr).strip())
            git_folder, prefix = os.fsdecode(done.stdout)[:-1].rsplit("\n", 1)
            return root, _own_folder(root, Path(git_folder), prefix)
        if (folder / ".git").exists():
            break
    raise StartError(
        f"No project here: {start} and the folders above it have no {_ANSWERS}.",
        "Change to the project's folder.",
        2,
    )


def _own_folder(root: Path, git_folder: Path, prefix: str) -> Path:
    """The folder of a project's updates. Raises `StartError` if another project's are there."""
    own = git_folder / "platform-projects" / prefix if prefix else git_folder
    if prefix and (own / "platform-update/state.json").exists():
        return own
    # Up to 0.3.0 git's folder had the update of any project in the repository.
    state = _state(git_folder / "platform-update")
    place, other = state.get("prefix"), Path(state.get("request", {}).get("root", root))
    mine = place == prefix if place is not None else other == root or not other.exists()
    if not mine and not prefix:
        message = f"The unfinished update is that of the project in {other}."
        raise StartError(message, "Finish or undo it there, then try again.")
    return git_folder if state and mine else own


def _answers_file(root: Path) -> str:
    """The answers file of the last commit: Copier's option -a gives it another name."""
    both = ("--all-match", "-e", "^_commit:", "-e", "^_src_path:")
    found = _attempt(root, "grep", "--name-only", *both, "HEAD", "--", "*.yml", "*.yaml") or ""
    names = [line.removeprefix("HEAD:") for line in found.splitlines()]
    others = [name for name in names if Path(name).name != _ANSWERS]
    return others[0] if _ANSWERS not in names and len(others) == 1 else _ANSWERS


def _answer(root: Path, name: str) -> str:
    """A text in the answers of the last commit, which are YAML as Copier writes it."""
    file = _answers_file(root)
    hint = f"Restore it from git: git log -- {file}, then git checkout COMMIT -- {file}"
    if (answers := _attempt(root, "show", f"HEAD:./{file}")) is None:
        raise StartError(f"{file} is missing: no update without the answers.", hint)
    # A long text is folded to several lines.
    found = re.search(rf"(?m)^{name}:[ \t]*(\S.*(?:\n[ \t]+\S.*)*)$", answers)
    text = re.sub(r"\s+", " ", found[1]).strip() if found else ""
    if text.startswith("'"):
        text = text[1:-1].replace("''", "'")
    elif text.startswith('"'):
        text = json.loads(text)
    if not text or text in ("null", "~"):
        raise StartError(f"{file} has no {name}.", hint)
    return text


def _claim(root: Path, place: Path) -> None:
    """Hold the lock of the update's folder, also as the engine; refuse an unfinished update."""
    import fcntl

    place.mkdir(parents=True, exist_ok=True)
    lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        message = "Another update of this project is running."
        raise StartError(message, "Wait until it has ended.") from None
    if (stored := place / "state.json").exists():
        state = _state(place)
        landed = (state.get("door"), state.get("phase")) == ("copier", "landed")
        if not landed or not _over(root, state["start"]):
            raise StartError("An update is unfinished.", _UNFINISHED)
        stored.unlink()
    shutil.rmtree(place / "template", ignore_errors=True)


def _over(root: Path, start: str) -> bool:
    """Whether what Copier's update left in the work tree was committed, or undone with git."""
    trees = (_attempt(root, "rev-parse", "HEAD:./", f"{start}:./") or "").split("\n")
    changed = ("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
    return trees[0] != trees[-1] or _attempt(root, *changed, "--", ".") == ""


def _fetch(source: str, into: Path, start: Path) -> Path:
    """Clone the template at `source` (address, folder or bundle, seen from `start`), bare."""
    address = source.removeprefix("git+")
    for short, host in _SHORT.items():
        if address.startswith(short):
            address = f"{host}{address.removeprefix(short)}.git"
    local = (start / os.path.expanduser(address)).resolve()  # noqa: PTH111  # "~x" may be no user
    address = str(local) if local.exists() else address
    done = _git(start, "clone", "--quiet", "--bare", "--template=", "--", address, str(into))
    if not done.returncode:
        return into
    said = os.fsdecode(done.stderr).strip()
    if "No space left" in said:
        raise StartError(said, "Make room on the disk and try again.")
    if local.is_file():
        raise StartError(
            f"{source} is an incomplete bundle, or none.\n{said}",
            "Have the vendor make one of all versions: git bundle create FILE.bundle --all",
        )
    raise StartError(
        f"The template at {source} is out of reach.\n{said}",
        "Check the network and try again, or update from a file: uv run platform update --from "
        "FILE.bundle\nWhere the template has moved: uv run platform update --source ADDRESS",
    )


def _commit(template: Path, ref: str | None) -> str:
    """The commit of a tag, a commit or what Copier stored; of the newest release for None."""
    # A clone may lack tags: releases.toml lists the releases too.
    releases = tomllib.loads(_attempt(template, "show", "HEAD:releases.toml") or "")
    listed = {f"v{one['version']}": one.get("commit") for one in releases.get("release", [])}
    if ref is None:
        tags = (_attempt(template, "tag", "--list") or "").split("\n")
        names = {*tags, *(name for name, commit in listed.items() if commit)}
        versions = [name for name in names if re.fullmatch(r"v?\d+\.\d+\.\d+", name)]
        if not versions:
            hint = "Name a commit: uv run platform update --to COMMIT"
            raise StartError("The template has no released version.", hint)
        ref = max(versions, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])
    for name in filter(None, (ref, listed.get(ref))):
        wanted = ("--verify", "--end-of-options", f"{name}^{{commit}}")
        if not ref.startswith("-") and (found := _attempt(template, "rev-parse", *wanted)):
            return found
    raise StartError(f"The template has no version {ref}.", "Versions are its tags.", 2)


def _export(template: Path, commit: str, own: Path) -> Path:
    """Put the engine of a commit beside the updates, whole or not at all; return its folder."""
    engine = own / "platform-engine" / commit
    if engine.exists():
        return engine
    engine.parent.mkdir(parents=True, exist_ok=True)
    new = Path(mkdtemp(prefix="new-", dir=engine.parent))
    os.environ["GIT_INDEX_FILE"] = str(new / "index")
    plain = ("-c", "core.autocrlf=false", f"--git-dir={template}", f"--work-tree={new}")
    done = _git(template, *plain, "checkout", "--quiet", commit, "--", *_ENGINE)
    del os.environ["GIT_INDEX_FILE"]
    try:
        if done.returncode:
            said = os.fsdecode(done.stderr).strip()
            raise StartError(f"The update engine of {commit[:10]} cannot be read: {said}")
        with suppress(FileExistsError):  # another command was quicker
            new.rename(engine)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return engine


def _kept_engine(root: Path, own: Path) -> Path:
    """The engine of the unfinished or else of the last update; fetched where there is none."""
    update, engines = own / "platform-update", own / "platform-engine"
    if name := str(_state(update).get("engine", "")):
        if (engines / name).exists():
            return engines / name
        if (update / "template").exists():
            return _export(update / "template", name, own)
    if kept := [path for path in engines.glob("*") if not path.name.startswith("new-")]:
        return max(kept, key=lambda path: path.stat().st_mtime)
    with TemporaryDirectory(prefix="platform-engine-") as place:
        template = _fetch(_answer(root, "_src_path"), Path(place, "template"), root)
        return _export(template, _commit(template, _answer(root, "_commit")), own)


def _state(place: Path) -> dict[str, Any]:
    """The stored state of an unfinished update; empty where there is none that can be read."""
    try:
        return dict(json.loads((place / "state.json").read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def _become(engine: Path, request: dict[str, Any]) -> NoReturn:
    """Replace this program by the engine."""
    sys.stdout.flush()
    program = str(engine / _PROGRAM)
    os.execv(sys.executable, [sys.executable, program, json.dumps(request)])  # noqa: S606


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-c", "safe.bareRepository=all", *arguments]
    environment = os.environ | {"LC_ALL": "C"}
    try:
        return subprocess.run(  # noqa: S603  # git, without a shell
            command, cwd=folder, env=environment, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise StartError("git is not on PATH.", "Install git 2.38 or later.", 2) from None


def _attempt(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None where it fails."""
    done = _git(folder, *arguments)
    return None if done.returncode else os.fsdecode(done.stdout).rstrip("\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
