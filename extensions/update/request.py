"""What a project's starter asks of the engine."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from extensions.update.errors import PlatformError
from extensions.update.typed import from_json

Action = Literal[
    "update", "preview", "offer", "source", "proceed", "abort", "resolve", "merge-driver"
]
Side = Literal["yours", "framework"]
_TEMPLATE = ("template", "ref", "source")
_NEEDED: dict[Action, tuple[str, ...]] = {
    "update": _TEMPLATE,
    "preview": _TEMPLATE,
    "offer": _TEMPLATE,
    "source": ("template", "source"),
    "merge-driver": ("files", "path"),
}


@dataclass(frozen=True)
class Request:
    """An action and its arguments. Fields may be added, and never renamed or removed.

    update, preview, offer: `template`, `ref`, `source`, `answers_file`, `data`, `verify`. source:
    `template`, `source`, `answers_file`. proceed: `verify`. resolve: `side`, `zone`, `paths`.
    merge-driver: `files`, `path`.
    """

    action: Action
    root: Path
    """The project's folder."""
    template: Path = Path()
    """A repository that has the commit `ref`."""
    ref: str = ""
    source: str = ""
    """The template's address, for the answers file."""
    data: dict[str, str] = field(default_factory=dict)
    """Answers to change."""
    verify: bool = True
    """Whether `platform verify` runs before the update lands."""
    answers_file: str = ".copier-answers.yml"
    json: bool = False
    """Whether a preview is printed as JSON."""
    side: Side | None = None
    """The side to take in all chosen conflicts."""
    zone: str | None = None
    paths: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    """The base, ours and theirs of a file to merge."""
    path: str = ""
    """Where the project has that file."""
    temporary: Path | None = None
    """A folder to remove at the end."""

    @classmethod
    def parse(cls, given: dict[str, Any]) -> "Request":
        """The request in a starter's JSON. Raises `PlatformError` when it is wrong."""
        try:
            request = from_json(cls, given)
            for name in _NEEDED.get(request.action, ()):
                if not given.get(name):
                    raise ValueError(f"{name} is missing")
            if request.action == "merge-driver" and len(request.files) != 3:
                raise ValueError(f"files are {len(request.files)}, not 3")
        except ValueError as error:
            raise PlatformError(
                f"The update engine got a wrong request: {error}.",
                "Restore scripts/customer-tools from git and try again.",
                2,
            ) from None
        return request
