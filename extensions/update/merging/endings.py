"""Adapts line endings, where the customer's file has other endings than the framework's.

Otherwise every line of such a file would differ. The framework's two versions get the customer's
endings before the merge.
"""

from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Entry, Tree


def adapt_endings(
    repository: Repository, base: Tree, ours: Tree, theirs: Tree
) -> tuple[Tree, Tree]:
    """`base` and `theirs` with the line endings of the files in `ours`."""
    trees = (base, ours, theirs)
    changed = [
        path
        for path in ours
        if path in base
        and path in theirs
        and ours[path] != base[path] != theirs[path]
        # A link or a submodule has no lines.
        and all(tree[path].mode.startswith("100") for tree in trees)
    ]
    contents = repository.blobs(tree[path].oid for path in changed for tree in trees)
    new_base, new_theirs = dict(base), dict(theirs)
    for path in changed:
        wanted = _ending(contents[ours[path].oid])
        for tree in (new_base, new_theirs):
            old = contents[tree[path].oid]
            if wanted and _ending(old) not in (None, wanted):
                new = old.replace(b"\r\n", b"\n").replace(b"\n", wanted)
                tree[path] = Entry(tree[path].mode, repository.store(new))
    return new_base, new_theirs


def _ending(contents: bytes) -> bytes | None:
    """The line ending of a text; None if it has none or several, or is binary."""
    if b"\0" in contents or b"\n" not in contents:
        return None
    crlf = contents.count(b"\r\n")
    if crlf == 0:
        return b"\n"
    return b"\r\n" if crlf == contents.count(b"\n") else None
