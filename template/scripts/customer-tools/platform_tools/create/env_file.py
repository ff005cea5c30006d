"""`platform secrets`: create `.env`, or `.env.production`, and generate its secrets.

Standard library only: Copier runs this file as a script before anything is installed, and so do
administrators on a server that has only Docker and Python:

    python3 scripts/customer-tools/platform_tools/create/env_file.py --production
"""

import base64
import os
import re
import secrets
import sys
import tempfile
from pathlib import Path

# Variables whose values are generated, by file.
GENERATED = {
    ".env": ("SECRET_KEY", "SERVICE_TOKEN", "AGENTS__WEBHOOK_SECRET"),
    ".env.production": (
        "SECRET_KEY",
        "SERVICE_TOKEN",
        "AGENTS__WEBHOOK_SECRET",
        "POSTGRES_PASSWORD",
    ),
}


def ensure(root: Path, file: str = ".env") -> list[str]:
    """Create `file` in `root` from its template if it is missing, and fill in empty secrets.

    Existing values are kept. The file is replaced atomically and readable by its owner only.
    Returns what was done, without any value; empty if there was nothing to do. Raises `OSError`.
    """
    env = root / file
    done = []
    if env.exists():
        text = _read(env)
    else:
        text = _read(root / f"{file}.template")
        done.append(f"created {file}")
    for name in GENERATED[file]:
        line = re.compile(rf"^(\s*(?:export\s+)?{name}\s*=)[ \t]*(?:\"\"|'')?[ \t]*(?=\r?$)", re.M)
        if line.search(text):
            text = line.sub(rf"\g<1>{_random(name)}", text, count=1)
        elif re.search(rf"^\s*(?:export\s+)?{name}\s*=", text, re.M):
            continue
        else:
            text += "" if text.endswith("\n") or not text else "\n"
            text += f"{name}={_random(name)}\n"
        done.append(f"generated {name}")
    if done:
        _write_private(env, text)
    elif env.stat().st_mode & 0o077:
        env.chmod(0o600)
        done.append(f"made {file} readable by its owner only")
    return done


def main() -> int:
    """Fill in the `.env` of the current folder, or with `--production` its `.env.production`."""
    file = ".env.production" if "--production" in sys.argv[1:] else ".env"
    try:
        done = ensure(Path.cwd(), file)
    except OSError as error:
        print(f"secrets: {error}", file=sys.stderr)
        print("Run this in the project's folder, with permission to write it.", file=sys.stderr)
        return 1
    print("secrets: " + (", ".join(done) or f"nothing to do, {file} is complete"))
    return 0


def _random(name: str) -> str:
    if name == "AGENTS__WEBHOOK_SECRET":
        # The form of https://www.standardwebhooks.com
        return f"whsec_{base64.b64encode(secrets.token_bytes()).decode()}"
    # Hex digits need no quotes in a URL or a shell.
    return secrets.token_hex()


def _read(path: Path) -> str:
    # surrogateescape keeps every byte, UTF-8 or not.
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def _write_private(path: Path, text: str) -> None:
    # Replace the target of a symbolic link, not the link.
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
