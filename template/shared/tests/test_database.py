"""Engines: SQLite in the mode that many readers and one writer need."""

import asyncio
from pathlib import Path

from sqlalchemy import text

from shared.database import create_engine


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
