"""Pages of lists that show the latest first."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

# Rows per page.
Limit = Annotated[int, Query(ge=1, le=200)]
# Time (microseconds) and ID of the last row of the previous page.
Cursor = Annotated[str, Query(pattern=r"^[0-9]{1,17}_[0-9a-f]{32}$")]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def after(
    cursor: str, time: InstrumentedAttribute[datetime], row_id: InstrumentedAttribute[UUID]
) -> ColumnElement[bool]:
    """The condition for rows behind `cursor`, sorted by `time` and `row_id`, both descending."""
    microseconds, last_id = cursor.split("_")
    last_time = EPOCH + timedelta(microseconds=int(microseconds))
    return or_(time < last_time, and_(time == last_time, row_id < UUID(last_id)))


def cursor_at(time: datetime, row_id: UUID) -> str:
    """The cursor of the page behind this row."""
    return f"{(time - EPOCH) // timedelta(microseconds=1)}_{row_id.hex}"
