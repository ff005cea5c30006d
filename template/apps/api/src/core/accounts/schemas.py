"""Request and response bodies of accounts."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from apps.api.src.core.platform.schemas import Input, Output, Text


class Credentials(Input):
    """An e-mail address and its password."""

    email: Annotated[Text, Field(max_length=320)]
    password: Annotated[Text, Field(max_length=1024)]


class PasswordChange(Input):
    """The current password as proof of identity, and the new one."""

    current_password: Annotated[Text, Field(max_length=1024)]
    new_password: Annotated[Text, Field(min_length=12, max_length=1024)]


class Account(Output):
    """The signed-in user."""

    id: UUID
    email: str
    roles: list[str]
