"""git's objects and packs, as gitformat-pack(5) has them.

git itself writes a file for each changed folder of a tree, in folders of their own; an update
writes the trees of several versions.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Iterable, Mapping

from extensions.update.objects.git import PLATFORM

FOLDER = "40000"
Entry = tuple[str, str]
"""git's mode, as "100644", and object id."""
# A kind of object, and its number in a pack.
_COMMIT, _TREE, _BLOB = (b"commit", 1), (b"tree", 2), (b"blob", 3)
# Of commits that nobody but the update sees.
_AUTHOR = f"{PLATFORM['GIT_AUTHOR_NAME']} <{PLATFORM['GIT_AUTHOR_EMAIL']}> 946684800 +0000"


class Pack:
    """Objects that git has not got yet."""

    def __init__(self, object_format: str) -> None:
        """`object_format`: sha1 or sha256."""
        self._hash = getattr(hashlib, object_format)
        self._objects: dict[str, tuple[int, bytes]] = {}
        self._taken: set[str] = set()

    def add_tree(self, tree: Mapping[str, Entry]) -> str:
        """Add a tree with all its folders; return its id."""
        folders: dict[str, dict[str, Entry]] = {"": {}}
        for path, entry in tree.items():
            folder, _, name = path.rpartition("/")
            _folder(folders, folder)[name] = entry
        # Those inside a folder come before it.
        for folder in sorted(folders, key=lambda one: one.count("/"), reverse=True):
            if folder:
                parent, _, name = folder.rpartition("/")
                folders[parent][name] = (FOLDER, self.add_folder(folders[folder]))
        return self.add_folder(folders[""])

    def add_folder(self, entries: Mapping[str, Entry]) -> str:
        """Add the tree object of one folder, whose own folders have the mode `FOLDER`."""
        names = {
            os.fsencode(name) + (b"/" if mode == FOLDER else b""): (mode, oid)
            for name, (mode, oid) in entries.items()
        }
        contents = b"".join(
            mode.encode() + b" " + name.rstrip(b"/") + b"\0" + bytes.fromhex(oid)
            for name, (mode, oid) in sorted(names.items())
        )
        return self._add(_TREE, contents)

    def add_blob(self, contents: bytes) -> str:
        """Add the contents of a file; return their id."""
        return self._add(_BLOB, contents)

    def add_commit(self, tree: str, message: str, parents: Iterable[str] = ()) -> str:
        """Add a commit; return its id."""
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {_AUTHOR}", f"committer {_AUTHOR}", "", message, ""]
        return self._add(_COMMIT, "\n".join(lines).encode())

    def _add(self, kind: tuple[bytes, int], contents: bytes) -> str:
        name, number = kind
        oid: str = self._hash(b"%b %d\0" % (name, len(contents)) + contents).hexdigest()
        if oid not in self._taken:
            self._objects[oid] = number, contents
        return oid

    def take(self) -> bytes:
        """The pack of what was added since the last time; empty if there is nothing new."""
        if not self._objects:
            return b""
        parts = [struct.pack(">4sLL", b"PACK", 2, len(self._objects))]
        for number, contents in self._objects.values():
            parts += _head(number, len(contents)), zlib.compress(contents, zlib.Z_BEST_SPEED)
        pack = b"".join(parts)
        self._taken |= self._objects.keys()
        self._objects.clear()
        checksum: bytes = self._hash(pack).digest()
        return pack + checksum


def _folder(folders: dict[str, dict[str, Entry]], path: str) -> dict[str, Entry]:
    """What is in a folder; it is there from now on, as all above it are."""
    if path not in folders:
        _folder(folders, path.rpartition("/")[0])
        folders[path] = {}
    return folders[path]


def _head(number: int, size: int) -> bytes:
    """An object's kind and size: four bits of the size, then seven in each further byte."""
    head = [number << 4 | size & 15]
    size >>= 4
    while size:
        head[-1] |= 128
        head.append(size & 127)
        size >>= 7
    return bytes(head)
