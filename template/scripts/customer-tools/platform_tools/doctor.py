"""`platform doctor`: what is missing, taken or wrong, before anything fails on it."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict

from platform_tools import project
from platform_tools.checks import Finding, code, machine, values
from platform_tools.errors import PlatformError
from platform_tools.terminal import coloured

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
# Each yields findings.
Checks = tuple[Callable[[], Iterator[Finding]], ...]
CHECKS: Checks = (
    machine.tools,
    machine.packages,
    values.settings,
    values.secrets,
)
NEED_SETTINGS: Checks = (machine.disk, machine.ports, code.databases, code.agents)


def run(*, as_json: bool) -> int:
    """Print every finding. Returns 1 when something fails, else 0."""
    findings = []
    for finding in _findings():
        findings.append(finding)
        if not as_json:
            _show(finding)
    failed = sum(finding.status == "fail" for finding in findings)
    warned = sum(finding.status == "warn" for finding in findings)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        print(f"\n{failed} to mend, {warned} to look at." if failed or warned else "\nAll is well.")
    return 1 if failed else 0


def _findings() -> Iterator[Finding]:
    for check in CHECKS:
        yield from check()
    try:
        project.settings()
    except PlatformError:
        mend = "Mend the settings, then run this again."
        yield Finding(
            "warn", "disk, ports, databases, agents", "not looked at without settings", mend
        )
        return
    for check in NEED_SETTINGS:
        yield from check()


def _show(finding: Finding) -> None:
    status = coloured(f"{finding.status:<5}", COLOURS[finding.status], sys.stdout)
    print(f"{status} {finding.name}: {finding.message}")
    for line in finding.mend.splitlines():
        print(f"      {line}")
