"""`platform update`, `platform resolve` and `platform merge-driver`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from platform_tools.errors import PlatformError


def register(app: typer.Typer) -> None:
    """Add this package's commands to the `platform` command."""
    app.command()(update)
    app.command()(resolve)
    app.command("merge-driver")(merge_driver)


def update(
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would change; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --preview: print JSON.")] = False,
    to: Annotated[
        str | None, typer.Option(metavar="TAG", help="The version; the newest by default.")
    ] = None,
    bundle: Annotated[
        str | None, typer.Option("--from", metavar="BUNDLE", help="Update from a git bundle.")
    ] = None,
    data: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Change an answer; repeatable.")
    ] = None,
    verify: Annotated[bool, typer.Option(help="Check the new version before it lands.")] = True,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Go on with an unfinished update.")
    ] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Undo an unfinished update.")] = False,
    source: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Only record where the template has moved."),
    ] = None,
) -> None:
    """Update this project to another version of the platform, and lose nothing.

    Exit codes: 0 done or nothing to do, 1 failed or refused, 2 wrong input, 3 conflicts are left.
    """
    from platform_tools.update import bootstrap

    root = _root()
    if sum((preview, go_on, abort, source is not None)) > 1:
        raise PlatformError("Only one of --preview, --continue, --abort and --source.", code=2)
    if as_json and not preview:
        raise PlatformError("--json goes with --preview.", code=2)
    if go_on or abort:
        bootstrap.go_on(root, "continue" if go_on else "abort", verify=verify)
    if source is not None:
        from platform_tools.update.moving import move_source

        move_source(root, source)
        return
    answers = dict(pair.partition("=")[::2] for pair in data or [])
    if wrong := [pair for pair in data or [] if "=" not in pair]:
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


def resolve(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Only these files or folders; all by default.")
    ] = None,
    use: Annotated[
        str | None, typer.Option(metavar="yours|framework", help="Take this side without asking.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Only paths of this zone.")] = None,
) -> None:
    """Work through the conflicts of an update. Exit code 3 while any is left."""
    from platform_tools.update import bootstrap

    if use not in (None, "yours", "framework"):
        raise PlatformError("--use takes yours or framework.", code=2)
    root = _root()
    bootstrap.go_on(root, "resolve", side=use, zone=zone, paths=paths or [])


def _root() -> Path:
    """The project's folder, seen from an unfinished update's folder as well."""
    from platform_tools.update import bootstrap

    root = bootstrap.find_root(Path.cwd())
    return root.parents[1] if root.parent.name == ".platform-update" else root


@contextmanager
def _output_at_the_end() -> Iterator[None]:
    """Print when the work is done; it is no error that nobody reads it any more: `… | head`."""
    output = StringIO()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with redirect_stdout(output):
            yield
    finally:
        try:
            print(output.getvalue(), end="", flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def merge_driver(base: Path, ours: Path, theirs: Path, path: str) -> None:
    """Merge three versions of a file for git, which passes %O %A %B %P."""
    from platform_tools.update.mergedriver import merge_driver as merge

    raise typer.Exit(merge(base, ours, theirs, path))
