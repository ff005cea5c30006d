"""Finds the customer's routes in `apps/api/src/custom`."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter

FOLDER = Path(__file__).parents[1] / "custom"
PACKAGE = "apps.api.src.custom"


def custom_routers() -> Iterator[APIRouter]:
    """The `router` of every module in the folder that has one, by the module's name.

    An error in a module ends the start: a route that is silently missing is worse.
    """
    for module_info in sorted(pkgutil.iter_modules([str(FOLDER)]), key=lambda info: info.name):
        module = importlib.import_module(f"{PACKAGE}.{module_info.name}")
        router = getattr(module, "router", None)
        if isinstance(router, APIRouter):
            yield router
