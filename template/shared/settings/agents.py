"""The table `[agents]`: how the agents service runs agents."""

from pydantic import BaseModel, Field, IPvAnyAddress, SecretStr


class Agents(BaseModel):
    """Limits of runs, for every agent and user, and where webhooks may be sent."""

    max_runs: int = Field(256, ge=1)
    """Runs that one replica executes at a time; further ones wait in the queue."""
    run_seconds: float = Field(3600, gt=0)
    """The longest that a run may take; an `agent.toml` can set another time."""
    max_steps: int = Field(100, ge=1)
    """Steps of a run's graph; an `agent.toml` can set another number. Enough for more than thirty
    tool calls, and few enough to stop a model that goes round in circles."""
    rate_limit: str = "120/minute"
    """Runs that one user may start, in the notation of the library `limits`."""
    max_body_bytes: int = Field(4_000_000, ge=1)
    lease_seconds: float = Field(15, gt=0)
    """A replica that is silent for this long loses its runs to another, which continues them."""
    shutdown_seconds: float = Field(20, ge=0)
    """How long a stopping service lets its runs finish before it hands them over."""
    event_hours: float = Field(24, gt=0)
    """How long the stream of a finished run can be replayed."""
    webhook_hosts: list[str] = []
    """Hosts that webhooks may be sent to, as `host` (the default port) or `host:port`; none by
    default."""
    cors_origins: list[str] = []
    """Origins of web pages in whose scripts a browser allows requests to the service, such as
    `https://chat.acme.example`; none by default. Requests need the service token all the same."""
    developer_address: IPvAnyAddress | None = None
    """Development: a program at this address needs no token, like those on this machine. Containers
    set the address that their machine's programs have for them."""
    webhook_secret: SecretStr = SecretStr("")
    """Signs webhooks by the Standard Webhooks specification: `whsec_` and base64. Any other text
    of at least 32 characters is used as the key itself."""
