"""What an update does, file by file. The preview shows it, the update does it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from extensions.update.inputs.ownership import Zone
from extensions.update.merging.notes import Note

Status = Literal[
    "conflict", "merged", "renamed", "removed", "added", "rebuilt", "replaced", "changed"
]


@dataclass(frozen=True)
class FileChange:
    """A file that an update changes. `detail`: a renamed file's old path, a conflict's keys."""

    path: str
    status: Status
    zone: Zone
    detail: str = ""


class ReleaseNotes(NamedTuple):
    """A release between the two versions."""

    version: str
    notes: str


@dataclass(frozen=True)
class ChangedAnswer:
    """An answer before and after the update."""

    old: Any
    new: Any


@dataclass
class Questions:
    """Answers by question: of new questions, changed ones, and those of removed questions.

    `renamed`: old name of a question → new name.
    """

    new: dict[str, Any] = field(default_factory=dict)
    changed: dict[str, ChangedAnswer] = field(default_factory=dict)
    removed: dict[str, Any] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)


@dataclass
class Plan:
    """The plan of an update; as JSON (`typed.to_json`) what `--preview --json` prints."""

    old: str = ""
    """The project's version."""
    new: str = ""
    """The version that is updated to."""
    files: list[FileChange] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    rebuild: list[str] = field(default_factory=list)
    """Lock files to rebuild."""
    questions: Questions = field(default_factory=Questions)
    releases: list[ReleaseNotes] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not self.files

    def of_status(self, status: Status) -> list[FileChange]:
        """The files with a status."""
        return [file for file in self.files if file.status == status]

    def notes_of(self, kinds: Iterable[str]) -> list[Note]:
        """The notes of some kinds."""
        wanted = set(kinds)
        return [note for note in self.notes if note.kind in wanted]
