"""Protection against forged requests from other sites."""

from fastapi import HTTPException, Request


async def same_origin(request: Request) -> None:
    """Refuse (403) a request that changes something and comes from another site's page."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("origin")
    if origin is None:
        # Browsers that leave out Origin send Sec-Fetch-Site.
        foreign = request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
    else:
        foreign = origin.partition("://")[2] != request.headers.get("host")
    if foreign:
        raise HTTPException(
            403, "The request comes from another site: open the platform at its usual address."
        )
