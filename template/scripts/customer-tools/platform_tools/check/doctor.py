"""`platform doctor`: find what is missing, taken or wrong before anything fails on it."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict

from platform_tools import project
from platform_tools.check import Finding, code, machine, values
from platform_tools.errors import PlatformError
from platform_tools.terminal import coloured

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
Checks = tuple[Callable[[], Iterator[Finding]], ...]
CHECKS: Checks = (machine.tools, machine.packages, values.settings, values.secrets)
NEED_SETTINGS: Checks = (machine.disk, machine.ports, code.databases, code.agents)


def run(*, as_json: bool) -> int:
    """Print every finding. Returns 1 when something fails, else 0."""
    findings = []
    for finding in _findings():
        findings.append(finding)
        if not as_json:
            _show(finding)
    problems = sum(finding.status == "fail" for finding in findings)
    warnings = sum(finding.status == "warn" for finding in findings)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    elif problems or warnings:
        print(f"\nProblems: {problems}, warnings: {warnings}.")
    else:
        print("\nNo problems.")
    return 1 if problems else 0


def _findings() -> Iterator[Finding]:
    for check in CHECKS:
        yield from check()
    try:
        project.settings()
    except PlatformError:
        names, fix = "disk, ports, databases, agents", "Fix the settings, then run this again."
        yield Finding("warn", names, "not checked: the settings are invalid", fix)
        return
    for check in NEED_SETTINGS:
        yield from check()


def _show(finding: Finding) -> None:
    status = coloured(f"{finding.status:<5}", COLOURS[finding.status], sys.stdout)
    print(f"{status} {finding.name}: {finding.message}")
    for line in finding.fix.splitlines():
        print(f"      {line}")
