"""Finds the customer's routes in `apps/api/src/custom`."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter

FOLDER = Path(__file__).parents[1] / "custom"


class CustomModuleError(Exception):
    """A module of the customer cannot be imported; the message says which and why."""


def custom_routers() -> Iterator[APIRouter]:
    """The `router` of every module in the folder that has one, by the module's name."""
    for module_info in sorted(pkgutil.iter_modules([str(FOLDER)]), key=lambda info: info.name):
        try:
            module = importlib.import_module(f"apps.api.src.custom.{module_info.name}")
        except Exception as error:
            raise CustomModuleError(
                f"apps/api/src/custom/{module_info.name}: {type(error).__name__}: {error}"
            ) from error
        router = getattr(module, "router", None)
        if isinstance(router, APIRouter):
            yield router
