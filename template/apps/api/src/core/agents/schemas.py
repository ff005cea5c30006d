"""Response bodies of agents."""

from apps.api.src.core.platform.schemas import Output


class Agent(Output):
    """An agent that the user may talk to."""

    name: str
    """Its ID and the name of its folder."""
    title: str
    description: str
    icon: str | None
    """The name of a Lucide icon."""
    error: str | None
    """Why it cannot be loaded; shown to administrators only."""
