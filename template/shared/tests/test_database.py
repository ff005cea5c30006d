"""Engines: SQLite in the mode that many readers and one writer need."""

import asyncio
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select, text
from sqlalchemy.exc import OperationalError, StatementError

from shared.database import FULL, READ_ONLY, UtcDateTime, create_engine, refusal


async def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path / 'new' / 'data.db'}")
    async with engine.connect():
        pass
    await engine.dispose()

    assert (tmp_path / "new" / "data.db").exists()


async def test_sqlite_runs_in_wal_mode_with_foreign_keys(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path / 'data.db'}")
    async with engine.connect() as connection:
        mode = await connection.scalar(text("PRAGMA journal_mode"))
        keys = await connection.scalar(text("PRAGMA foreign_keys"))
    await engine.dispose()

    assert (mode, keys) == ("wal", 1)


async def test_writers_wait_for_one_another(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path / 'data.db'}")
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE numbers (number INTEGER)"))

    async def write(number: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO numbers VALUES (:n)"), {"n": number})

    await asyncio.gather(*(write(number) for number in range(50)))

    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM numbers")) == 50
    await engine.dispose()


@pytest.mark.parametrize(
    ("pragma", "expected"), [("max_page_count = 1", FULL), ("query_only = ON", READ_ONLY)]
)
async def test_a_refusal_says_what_to_do(tmp_path: Path, pragma: str, expected: str) -> None:
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path / 'data.db'}")
    async with engine.connect() as connection:
        await connection.execute(text(f"PRAGMA {pragma}"))
        with pytest.raises(OperationalError) as refused:
            await connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
    await engine.dispose()

    assert refusal(refused.value) == expected


async def test_a_moment_of_any_time_zone_is_read_as_the_same_moment(tmp_path: Path) -> None:
    moments = Table("moments", MetaData(), Column("moment", UtcDateTime))
    moment = datetime(2025, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path / 'data.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(moments.create)
        await connection.execute(insert(moments), {"moment": moment})
        assert await connection.scalar(select(moments.c.moment)) == moment
        with pytest.raises(StatementError, match="no time zone"):
            await connection.execute(insert(moments), {"moment": moment.replace(tzinfo=None)})
    await engine.dispose()
