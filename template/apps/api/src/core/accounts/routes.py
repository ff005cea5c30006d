"""Signing in and out, and your password."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts import sessions
from apps.api.src.core.accounts.models import User
from apps.api.src.core.accounts.passwords import normalise_email, verify_login
from apps.api.src.core.accounts.schemas import Account, Credentials, PasswordChange
from apps.api.src.core.accounts.sessions import CurrentUser, SessionToken
from apps.api.src.core.database import DbSession
from apps.api.src.core.platform.problems import problems
from shared.limits import count

log = structlog.get_logger(__name__)

# Attempts from one address: for one account, counted anew after a success, and for all accounts.
ACCOUNT_LIMIT = parse("5 per minute")
ADDRESS_LIMIT = parse("30 per minute")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.login_limiter = MovingWindowRateLimiter(MemoryStorage())
    yield


router = APIRouter(prefix="/auth", tags=["accounts"], lifespan=_lifespan)


@router.post("/login", responses=problems(400, 401, 403, 413, 422, 429, 503))
async def login(
    credentials: Credentials, request: Request, response: Response, session: DbSession
) -> Account:
    """Sign in; the response sets the session cookie."""
    email = normalise_email(credentials.email)
    user = await _verify(request, session, email, credentials.password)
    if user is None:
        log.warning("login refused", email=email, address=_address(request))
        raise HTTPException(401, "The e-mail address or the password is wrong: try again.")
    await sessions.start_session(session, user, response, request.app.state.settings)
    log.info("login", user_id=str(user.id), address=_address(request))
    return Account.model_validate(user)


@router.post("/logout", status_code=204, responses=problems(403, 503))
async def logout(
    token: SessionToken, request: Request, response: Response, session: DbSession
) -> None:
    """End the session on the server and in the browser."""
    if token:
        await sessions.end_session(session, token, response, request.app.state.settings)


@router.get("/me", responses=problems(401, 503))
async def get_account(user: CurrentUser) -> Account:
    """The account of the signed-in user."""
    return Account.model_validate(user)


@router.put("/password", status_code=204, responses=problems(400, 401, 403, 413, 422, 429, 503))
async def change_password(
    body: PasswordChange, user: CurrentUser, request: Request, session: DbSession
) -> None:
    """Change your password; ends all other sessions of the account."""
    if await _verify(request, session, user.email, body.current_password) is None:
        log.warning("password change refused", user_id=str(user.id), address=_address(request))
        raise HTTPException(403, "The current password is wrong: try again.")
    token, settings = request.cookies[sessions.COOKIE], request.app.state.settings
    await sessions.replace_password(session, user, body.new_password, token, settings)
    log.info("password changed", user_id=str(user.id), address=_address(request))


async def _verify(
    request: Request, session: AsyncSession, email: str, password: str
) -> User | None:
    """The user with this address and password, or None; 429 after too many attempts."""
    limiter: MovingWindowRateLimiter = request.app.state.login_limiter
    address = _address(request)
    await count("attempts", limiter, ADDRESS_LIMIT, address)
    await count("attempts", limiter, ACCOUNT_LIMIT, address, email)
    user = await verify_login(session, email, password)
    if user is not None:
        await limiter.clear(ACCOUNT_LIMIT, address, email)
    return user


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
