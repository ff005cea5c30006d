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
    group: str
    """The heading that it is listed under; empty if it has none."""
    error: str | None
    """Why it cannot be loaded; shown to administrators only."""
