"""`platform update`, `platform resolve` and `platform merge-driver`."""

import os
import sys
from argparse import BooleanOptionalAction
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

from platform_tools.arguments import Commands, command
from platform_tools.errors import PlatformError


def register(commands: Commands) -> None:
    """Add this package's commands to the `platform` command."""
    parser = command(commands, "update", update)
    add = parser.add_argument
    add("--preview", action="store_true", help="show what would change; change nothing")
    add("--json", dest="as_json", action="store_true", help="with --preview: print JSON")
    add("--to", metavar="TAG", help="the version; the newest by default")
    add("--from", dest="bundle", metavar="BUNDLE", help="update from a git bundle")
    add(
        "--data",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="change an answer; repeatable",
    )
    add(
        "--verify",
        action=BooleanOptionalAction,
        default=True,
        help="check the new version before it lands (the default)",
    )
    add(
        "--continue",
        dest="go_on",
        action="store_true",
        help="go on with an unfinished update",
    )
    add("--abort", action="store_true", help="undo an unfinished update")
    add("--source", metavar="ADDRESS", help="only record where the template has moved")
    parser = command(commands, "resolve", resolve)
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        help="only these files or folders; all by default",
    )
    parser.add_argument(
        "--use", choices=("yours", "framework"), help="take this side without asking"
    )
    parser.add_argument("--zone", help="only paths of this zone: framework, shared, customer…")
    parser = command(commands, "merge-driver", merge_driver)
    for name in ("base", "ours", "theirs"):
        parser.add_argument(name, type=Path, metavar=name.upper())
    parser.add_argument("path", metavar="PATH")


def update(
    *,
    preview: bool,
    as_json: bool,
    to: str | None,
    bundle: str | None,
    data: list[str],
    verify: bool,
    go_on: bool,
    abort: bool,
    source: str | None,
) -> None:
    """Update this project to another version of the platform, and lose nothing.

    Exit codes: 0 done or nothing to do, 1 failed or refused, 2 wrong input, 3 conflicts are left,
    130 stopped by Ctrl-C.
    """
    from platform_tools.update import bootstrap

    root = _root()
    options = {"--preview": preview, "--continue": go_on, "--abort": abort, "--source": source}
    chosen = [name for name, value in options.items() if value]
    if len(chosen) > 1:
        raise PlatformError("Only one of --preview, --continue, --abort and --source.", code=2)
    begin = [name for name, value in (("--to", to), ("--from", bundle), ("--data", data)) if value]
    if begin and chosen not in ([], ["--preview"]):
        raise PlatformError(f"{begin[0]} does not go with {chosen[0]}.", code=2)
    if as_json and not preview:
        raise PlatformError("--json goes with --preview.", code=2)
    if go_on or abort:
        bootstrap.go_on(root, "continue" if go_on else "abort", verify=verify)
    if source is not None:
        from platform_tools.update.moving import move_source

        move_source(root, source)
        return
    answers = dict(pair.partition("=")[::2] for pair in data)
    if wrong := [pair for pair in data if "=" not in pair]:
        raise PlatformError(f"--data needs NAME=VALUE, not {wrong[0]}.", code=2)
    with _output_at_the_end():
        bootstrap.begin(
            root,
            "preview" if preview else "update",
            to,
            bundle,
            data=answers,
            verify=verify,
            json=as_json,
        )


def resolve(paths: list[str], use: str | None, zone: str | None) -> None:
    """Work through the conflicts of an update. Exit code 3 while any is left."""
    from platform_tools.update import bootstrap

    root = _root()
    bootstrap.go_on(root, "resolve", side=use, zone=zone, paths=paths)


def _root() -> Path:
    """The project's folder, seen from an unfinished update's folder as well."""
    from platform_tools.update import bootstrap

    root = bootstrap.find_root(Path.cwd())
    return root.parents[1] if root.parent.name == ".platform-update" else root


@contextmanager
def _output_at_the_end() -> Iterator[None]:
    """Print when the work is done; it is no error that nobody reads it any more: `… | head`."""
    output = StringIO()
    try:
        with redirect_stdout(output):
            yield
    finally:
        try:
            print(output.getvalue(), end="", flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def merge_driver(base: Path, ours: Path, theirs: Path, path: str) -> int:
    """Merge three versions of a file for git, which passes %O %A %B %P."""
    from platform_tools.update.mergedriver import merge_driver as merge

    return merge(base, ours, theirs, path)
