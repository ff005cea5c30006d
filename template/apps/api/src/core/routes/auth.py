"""Signing in and out, and the own password."""

import math
import time

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.database import DbSession
from apps.api.src.core.models import User
from apps.api.src.core.problems import problems
from apps.api.src.core.schemas import Account, Credentials, PasswordChange
from apps.api.src.core.security import (
    COOKIE,
    CurrentUser,
    SessionToken,
    end_session,
    normalise_email,
    replace_password,
    start_session,
    verify_login,
)

router = APIRouter(prefix="/auth", tags=["auth"])
log = structlog.get_logger(__name__)

# Attempts from one address, for one account and for all; success starts the first count again.
ACCOUNT_LIMIT = parse("5 per minute")
ADDRESS_LIMIT = parse("30 per minute")


@router.post("/login", responses=problems(400, 401, 403, 413, 422, 429, 503))
async def login(
    credentials: Credentials, request: Request, response: Response, session: DbSession
) -> Account:
    """Sign in; the answer sets the session cookie."""
    email = normalise_email(credentials.email)
    user = await _verify(request, session, email, credentials.password)
    if user is None:
        log.warning("login refused", email=email, address=_address(request))
        raise HTTPException(401, "The e-mail address or the password is wrong: try again.")
    await start_session(session, user, response, request.app.state.settings)
    log.info("login", user_id=str(user.id), address=_address(request))
    return Account.model_validate(user)


@router.post("/logout", status_code=204, responses=problems(403, 503))
async def logout(
    token: SessionToken, request: Request, response: Response, session: DbSession
) -> None:
    """End the session on the server and in the browser."""
    if token:
        await end_session(session, token, response, request.app.state.settings)


@router.get("/me", responses=problems(401, 503))
async def me(user: CurrentUser) -> Account:
    """Who is signed in."""
    return Account.model_validate(user)


@router.put("/password", status_code=204, responses=problems(400, 401, 403, 413, 422, 429, 503))
async def change_password(
    body: PasswordChange, user: CurrentUser, request: Request, session: DbSession
) -> None:
    """Change the own password; ends all other sessions of the account."""
    if await _verify(request, session, user.email, body.current_password) is None:
        log.warning("password change refused", user_id=str(user.id), address=_address(request))
        raise HTTPException(403, "The current password is wrong: try again.")
    token, settings = request.cookies[COOKIE], request.app.state.settings
    await replace_password(session, user, body.new_password, token, settings)
    log.info("password changed", user_id=str(user.id), address=_address(request))


def login_limiter() -> MovingWindowRateLimiter:
    """The counter of login attempts, in this process's memory."""
    return MovingWindowRateLimiter(MemoryStorage())


async def _verify(
    request: Request, session: AsyncSession, email: str, password: str
) -> User | None:
    """The user with this address and password, or None; 429 after too many attempts."""
    limiter: MovingWindowRateLimiter = request.app.state.login_limiter
    address = _address(request)
    await _count(limiter, ADDRESS_LIMIT, address)
    await _count(limiter, ACCOUNT_LIMIT, address, email)
    user = await verify_login(session, email, password)
    if user is not None:
        await limiter.clear(ACCOUNT_LIMIT, address, email)
    return user


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


async def _count(limiter: MovingWindowRateLimiter, limit: RateLimitItem, *key: str) -> None:
    if await limiter.hit(limit, *key):
        return
    reset, _ = await limiter.get_window_stats(limit, *key)
    seconds = max(1, math.ceil(reset - time.time()))
    raise HTTPException(
        429,
        f"Too many attempts: wait {seconds} seconds, then try again.",
        headers={"Retry-After": str(seconds)},
    )
