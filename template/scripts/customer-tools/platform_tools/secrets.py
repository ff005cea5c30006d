"""Creates `.env` with secrets of this machine.

Standard library only: Copier runs this file as a script before anything is installed. Run like
that, its folder is first on the import path, so nothing here may import the standard `secrets`.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

# Variables of `.env.template` that are generated: 64 hex digits, which no URL or shell can break.
GENERATED = ("SECRET_KEY", "SERVICE_TOKEN")


def ensure(root: Path) -> list[str]:
    """Create `root/.env` from `.env.template` where it is missing, and fill in empty secrets.

    A value that is set is never changed. The file is replaced in one step and only its owner may
    read it. Returns what was done, one line each, without any value; empty when all was there.
    Raises `OSError` when a file cannot be read or written.
    """
    env = root / ".env"
    done = []
    if env.exists():
        text = _read(env)
    else:
        text = _read(root / ".env.template")
        done.append("created .env")
    for name in GENERATED:
        line = re.compile(rf"^(\s*(?:export\s+)?{name}\s*=)[ \t]*(?:\"\"|'')?[ \t]*(?=\r?$)", re.M)
        if line.search(text):
            text = line.sub(lambda match: match[1] + os.urandom(32).hex(), text, count=1)
        elif re.search(rf"^\s*(?:export\s+)?{name}\s*=", text, re.M):
            continue
        else:
            text += "" if text.endswith("\n") or not text else "\n"
            text += f"{name}={os.urandom(32).hex()}\n"
        done.append(f"generated {name}")
    if done:
        _write_private(env, text)
    elif env.stat().st_mode & 0o077:
        env.chmod(0o600)
        done.append("made .env readable by its owner only")
    return done


def main() -> int:
    """Fill in the `.env` of the current folder."""
    root = Path.cwd()
    try:
        done = ensure(root)
    except OSError as error:
        print(f"secrets: {error}", file=sys.stderr)
        print("Run this in the project's folder, with permission to write .env.", file=sys.stderr)
        return 1
    print("secrets: " + (", ".join(done) or "nothing to do, .env is complete"))
    return 0


def _read(path: Path) -> str:
    # surrogateescape gives back every byte as it was, UTF-8 or not.
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def _write_private(path: Path, text: str) -> None:
    # A symbolic link (a .env kept elsewhere) stays one: its target is replaced.
    path = path.resolve()
    # mkstemp creates the file with mode 0600.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".env.")
    temporary = Path(name)
    try:
        with os.fdopen(
            descriptor, "w", encoding="utf-8", errors="surrogateescape", newline=""
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    sys.exit(main())
