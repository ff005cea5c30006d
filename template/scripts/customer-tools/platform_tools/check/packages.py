"""The packages that run in production, from the lock files, and their SBOM in CycloneDX."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

from platform_tools.errors import PlatformError
from platform_tools.project import ROOT

# The folders of packages within packages, in the keys of package-lock.json.
NPM_FOLDER = re.compile(r"^(.*/)?node_modules/")


def sbom(root: Path = ROOT) -> dict[str, Any]:
    """The CycloneDX document of `uv.lock` and the web's `package-lock.json`.

    `npm sbom` refuses a lock file whose optional packages for other systems contradict each other.
    Raises `PlatformError`.
    """
    document: dict[str, Any] = json.loads(_export(root))
    lock = root / "apps" / "web" / "package-lock.json"
    if lock.exists():
        document["components"] += npm_components(json.loads(lock.read_text(encoding="utf-8")))
    return document


def npm_components(lock: dict[str, Any]) -> list[dict[str, str]]:
    """The components of an npm lock file, without development packages."""
    found = {}
    for place, package in lock["packages"].items():
        if not NPM_FOLDER.match(place) or package.get("dev") or package.get("link"):
            continue
        # `name` is there where the folder has another one.
        name = package.get("name") or NPM_FOLDER.sub("", place)
        purl = f"pkg:npm/{quote(name, safe='/')}@{package['version']}"
        component = {"type": "library", "name": name, "version": package["version"], "purl": purl}
        found[purl] = {**component, "bom-ref": purl}
    return list(found.values())


def purls(document: dict[str, Any]) -> list[str]:
    """The package URLs of a document's components; the project's own parts have none."""
    return [one["purl"] for one in document["components"] if "purl" in one]


def _export(root: Path) -> str:
    own = root / ".cache" / "uv" / "bin"
    uv = shutil.which("uv") or shutil.which("uv", path=str(own))
    if not uv:
        raise PlatformError("uv is not installed.", "Run: make setup", 2)
    command = (uv, "export", "--quiet", "--frozen", "--all-packages", "--no-dev")
    done = subprocess.run(  # noqa: S603
        (*command, "--format", "cyclonedx1.5"),
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise PlatformError(f"uv.lock cannot be read: {done.stderr.strip()}", "Run: make setup", 2)
    return done.stdout
