"""`platform scan`: known vulnerabilities of the packages that run in production.

`pip-audit` and `npm audit` find nothing, with exit code 0, where their index does not know the
packages. So each package is looked up in one database, https://osv.dev or a mirror of it, together
with packages that are known to be vulnerable: a scan that does not find those could not look.
"""

import json
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from platform_tools.check.packages import purls, sbom
from platform_tools.errors import PlatformError
from platform_tools.project import ROOT

# https://google.github.io/osv.dev/post-v1-querybatch
SERVICE = "https://api.osv.dev"
BATCH = 500
# Seconds for one response.
TIMEOUT = 60
# Old releases whose vulnerabilities every copy of the database has.
KNOWN = ("pkg:pypi/jinja2@2.4.1", "pkg:npm/minimist@0.0.8")
NOT_LOOKED = "Set OSV_URL to a database that this machine can reach, or run the scan elsewhere."

Found = dict[str, list[str]]
"""The IDs of known vulnerabilities by package URL."""


def show(output: Path, root: Path = ROOT) -> int:
    """Write the SBOM to `output` and print what is known. Returns 0 if that is nothing, else 1.

    Raises `PlatformError` with code 2 if not every package could be looked up.
    """
    document = sbom(root)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    packages = purls(document)
    print(f"{len(packages)} packages, listed in {os.path.relpath(output)}")
    found = look_up(packages, os.environ.get("OSV_URL") or SERVICE)
    accepted = accepted_ids(root)
    left = 0
    for package, ids in sorted(found.items()):
        for one in ids:
            reason = accepted.get(one)
            left += reason is None
            print(f"{package}: {one}" + (f" (accepted: {reason})" if reason else ""))
    if left:
        print(
            f"{left} known vulnerabilities, described at https://osv.dev/vulnerability/ID. Update "
            "the packages, or accept one in pyproject.toml, with the reason:\n"
            '[tool.platform.scan]\naccept = { ID = "why it does no harm here" }'
        )
        return 1
    print("No known vulnerability." if not found else "No other known vulnerability.")
    return 0


def look_up(packages: Sequence[str], service: str) -> Found:
    """The known vulnerabilities of packages. Raises `PlatformError` if one was not looked up."""
    found: Found = {}
    wanted = [*KNOWN, *packages]
    for first in range(0, len(wanted), BATCH):
        batch = wanted[first : first + BATCH]
        for package, result in zip(batch, _ask(batch, service), strict=True):
            if ids := [one["id"] for one in result.get("vulns") or []]:
                found[package] = ids
    if missing := [one for one in KNOWN if not found.pop(one, None)]:
        raise PlatformError(
            f"The scan could not look: {service} does not know the vulnerabilities of "
            f"{' and '.join(missing)}.",
            NOT_LOOKED,
            2,
        )
    return found


def accepted_ids(root: Path) -> dict[str, str]:
    """The vulnerabilities that the project accepts, with the reasons."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    scan = settings.get("tool", {}).get("platform", {}).get("scan", {})
    accepted: dict[str, str] = scan.get("accept", {})
    return accepted


def _ask(packages: list[str], service: str) -> list[dict[str, Any]]:
    body = {"queries": [{"package": {"purl": package}} for package in packages]}
    request = Request(  # noqa: S310  # the setting above
        f"{service.rstrip('/')}/v1/querybatch",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            results: list[dict[str, Any]] = json.load(response)["results"]
    except (URLError, OSError, ValueError, KeyError, TypeError) as error:
        raise PlatformError(
            f"The scan could not look: {service} did not answer ({error}).", NOT_LOOKED, 2
        ) from None
    if len(results) != len(packages):
        raise PlatformError(
            f"The scan could not look: {service} answered for {len(results)} of {len(packages)} "
            "packages.",
            NOT_LOOKED,
            2,
        )
    return results
