"""An example to copy or delete: `GET /custom/greeting` for whoever is signed in."""

from fastapi import APIRouter
from pydantic import BaseModel

from apps.api.src.core.problems import problems
from apps.api.src.core.security import CurrentUser

router = APIRouter()


class Greeting(BaseModel):
    """What the route answers."""

    text: str


@router.get("/greeting", responses=problems(401, 503))
async def greeting(user: CurrentUser) -> Greeting:
    """Greet the user by the name in the e-mail address."""
    return Greeting(text=f"Hello {user.email.partition('@')[0]}!")
