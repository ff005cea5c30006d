"""The table `[customer]`."""

from pydantic import BaseModel


class Customer(BaseModel):
    """The company that runs this platform."""

    name: str
    slug: str
    admin_email: str
