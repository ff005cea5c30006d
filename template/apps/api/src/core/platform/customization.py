"""Loads the customer's routes from `apps/api/src/custom`."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter

FOLDER = Path(__file__).parents[2] / "custom"
PACKAGE = "apps.api.src.custom"


def custom_routers() -> Iterator[APIRouter]:
    """The `router` of every module in the folder that has one, in the order of module names.

    An error in a module stops the start: a missing route would go unnoticed.
    """
    for module_info in sorted(pkgutil.iter_modules([str(FOLDER)]), key=lambda info: info.name):
        module = importlib.import_module(f"{PACKAGE}.{module_info.name}")
        router = getattr(module, "router", None)
        if isinstance(router, APIRouter):
            yield router
