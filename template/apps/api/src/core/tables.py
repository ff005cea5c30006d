"""What the tables of all features share."""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from sqlalchemy import JSON, BigInteger, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase

from shared.database import UtcDateTime

# SQLite numbers rows by itself only in a column of the type INTEGER.
Serial = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """Base of all tables; constraints are named, so that a migration can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, list[str]: JSON}  # noqa: RUF012


def all_tables() -> MetaData:
    """The tables of all features, from the `models` module in each package beside this one."""
    for path in sorted(Path(__file__).parent.glob("*/models.py")):
        import_module(f"apps.api.src.core.{path.parent.name}.models")
    return Base.metadata


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)
