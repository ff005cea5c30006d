"""The table `[services]`."""

from pydantic import BaseModel


class Services(BaseModel):
    """The optional services of this project; the API and the agents service always run."""

    enabled: list[str] = []
