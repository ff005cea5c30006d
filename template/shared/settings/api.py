"""The table `[api]`."""

from pydantic import BaseModel, Field, IPvAnyNetwork


class Api(BaseModel):
    """Proxies in front of the API, and limits of its users."""

    trusted_proxies: list[IPvAnyNetwork] = []
    """Addresses or networks of reverse proxies whose `X-Forwarded-For` names the client, such as
    `10.0.0.5` or `10.0.0.0/8`; none by default. Anybody can send this header: list no others."""
    session_idle_minutes: float = Field(24 * 60, gt=0)
    """A session that is not used for this long ends."""
    rate_limit: str = "3000/minute"
    """Requests of one signed-in user to one replica, in the notation of the library `limits`. Many
    open tabs need a tenth of it; a script in a loop exceeds it."""
