"""Signing in and out, and your password."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts import attempts, sessions
from apps.api.src.core.accounts.models import User
from apps.api.src.core.accounts.passwords import check_password, hash_password, normalise_email
from apps.api.src.core.accounts.schemas import Account, Credentials, PasswordChange
from apps.api.src.core.accounts.sessions import CurrentUser, SessionToken
from apps.api.src.core.accounts.turns import Turns
from apps.api.src.core.accounts.watch import SessionWatch
from apps.api.src.core.database import DbSession, begin_write
from apps.api.src.core.platform.problems import problems

log = structlog.get_logger(__name__)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.turns = Turns()
    app.state.session_watch = SessionWatch(app.state.database, app.state.settings)
    watching = asyncio.create_task(app.state.session_watch.run())
    yield
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


router = APIRouter(prefix="/auth", tags=["accounts"], lifespan=_lifespan)


@router.post("/login", responses=problems(400, 401, 403, 413, 422, 429, 503))
async def login(
    credentials: Credentials, request: Request, response: Response, session: DbSession
) -> Account:
    """Sign in; the response sets the session cookie."""
    user = await _verify(request, session, credentials.email, credentials.password)
    if user is None:
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
    settings, token = request.app.state.settings, request.cookies[sessions.COOKIE]
    verified = await _verify(
        request, session, user.email, body.current_password, replacement=body.new_password
    )
    if verified is None:
        raise HTTPException(403, "The current password is wrong: try again.")
    await sessions.end_other_sessions(session, user, token, settings)
    log.info("password changed", user_id=str(user.id), address=_address(request))


async def _verify(
    request: Request,
    session: AsyncSession,
    email: str,
    password: str,
    replacement: str | None = None,
) -> User | None:
    """The user with this address and password, or None; 429 after too many attempts.

    A `replacement` becomes the user's password. The caller commits.
    """
    state, address = request.app.state, _address(request)
    async with state.turns.announcing:
        attempt = await attempts.announce(session, email, address, state.settings)
    async with state.turns.take(known=attempt.known):
        await attempts.reserve(session, attempt)
        user = await session.scalar(select(User).where(User.email == normalise_email(email)))
        # Hold no connection during the hash.
        await session.commit()
        stored = user.password_hash if user else None
        valid, new_hash = await asyncio.to_thread(check_password, password, stored)
        if valid and replacement:
            new_hash = await asyncio.to_thread(hash_password, replacement)
    if user is None or not valid:
        # What was typed as e-mail address may be a password.
        log.warning("password refused", user_id=user and str(user.id), address=address)
        return None
    await begin_write(session)
    # An administrator may have replaced the password meanwhile.
    unchanged = select(User).where(User.id == user.id, User.password_hash == stored)
    user = await session.scalar(
        unchanged.with_for_update().execution_options(populate_existing=True)
    )
    if user:
        user.password_hash = new_hash or user.password_hash
        await attempts.succeed(session, attempt)
    return user


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
