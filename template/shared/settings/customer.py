"""The table `[customer]`."""

from pydantic import BaseModel


class Customer(BaseModel):
    """The company that runs this platform."""

    name: str
    slug: str
    domain: str
    admin_email: str
    created_on: str
