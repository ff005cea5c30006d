"""An example to copy or delete: `GET /custom/greeting` for signed-in users."""

from fastapi import APIRouter
from pydantic import BaseModel

from apps.api.src.core.accounts.sessions import CurrentUser
from apps.api.src.core.platform.problems import problems

router = APIRouter()


class Greeting(BaseModel):
    """The response."""

    text: str


@router.get("/greeting", responses=problems(401, 503))
async def greeting(user: CurrentUser) -> Greeting:
    """Greet the user by the name in the e-mail address."""
    return Greeting(text=f"Hello {user.email.partition('@')[0]}!")
