"""Pages of long lists."""

from typing import TypeVar

T = TypeVar("T")


def page_of(found: list[T], limit: int, offset: int) -> tuple[list[T], dict[str, str]]:
    """The page of `found`, which begins at `offset`, and the protocol's headers.

    `found` has one item more than `limit` if there are further pages. The total is then a lower
    bound, as on LangGraph's server.
    """
    if len(found) <= limit:
        return found, {"X-Pagination-Total": str(offset + len(found))}
    following = offset + limit
    headers = {"X-Pagination-Total": str(following + 1), "X-Pagination-Next": str(following)}
    return found[:limit], headers
