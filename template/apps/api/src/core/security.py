"""Passwords, sessions, and who may call."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends, HTTPException, Request, Response
from fastapi.security import APIKeyCookie
from pwdlib import PasswordHash
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.database import DbSession
from apps.api.src.core.models import Session, User, now
from shared.settings import Settings

SESSION_LIFETIME = timedelta(days=7)
COOKIE = "session"
# No letters or digits that look alike; 20 of these are 98 bits.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"

_hasher = PasswordHash.recommended()
# Checked when the account is unknown, so that the answer takes as long as for a known one.
_nobody = _hasher.hash(secrets.token_hex())
# Each check takes 64 MiB of memory for a moment.
_at_once = CapacityLimiter(4)
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by `login`.")


def new_password() -> str:
    """A random password that can be read out and typed."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(5)) for _ in range(4))


def hash_password(password: str) -> str:
    """The Argon2 hash to store."""
    return _hasher.hash(password)


def normalise_email(email: str) -> str:
    """The form in which addresses are stored and compared."""
    return email.strip().lower()


async def verify_login(session: AsyncSession, email: str, password: str) -> User | None:
    """The user with this address and password, or None, in the same time for both."""
    user = await session.scalar(select(User).where(User.email == normalise_email(email)))
    known = user.password_hash if user else _nobody
    valid, new_hash = await run_sync(_hasher.verify_and_update, password, known, limiter=_at_once)
    if user is None or not valid:
        return None
    if new_hash:
        user.password_hash = new_hash
    return user


async def start_session(
    session: AsyncSession, user: User, response: Response, settings: Settings
) -> None:
    """Sign the browser in; sessions that have expired are removed on the way."""
    await session.execute(delete(Session).where(Session.expires_at < now()))
    user.last_login_at = now()
    token = secrets.token_urlsafe(32)
    session.add(
        Session(
            token_hash=_token_hash(token, settings),
            user_id=user.id,
            expires_at=now() + SESSION_LIFETIME,
        )
    )
    await session.commit()
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=settings.environment == "production",
    )


async def end_session(
    session: AsyncSession, token: str, response: Response, settings: Settings
) -> None:
    """Revoke the session and remove its cookie."""
    await session.execute(delete(Session).where(Session.token_hash == _token_hash(token, settings)))
    await session.commit()
    response.delete_cookie(
        COOKIE,
        httponly=True,
        samesite="strict",
        secure=settings.environment == "production",
    )


async def replace_password(
    session: AsyncSession, user: User, password: str, token: str, settings: Settings
) -> None:
    """Store a new password and end the user's sessions but that of `token`."""
    user.password_hash = await run_sync(hash_password, password, limiter=_at_once)
    await session.execute(
        delete(Session).where(
            Session.user_id == user.id, Session.token_hash != _token_hash(token, settings)
        )
    )
    await session.commit()


async def current_user(
    request: Request, session: DbSession, token: Annotated[str | None, Depends(_cookie)]
) -> User:
    """The user of the session cookie; 401 without one."""
    user = None
    if token:
        user = await session.scalar(
            select(User)
            .join(Session)
            .where(
                Session.token_hash == _token_hash(token, request.app.state.settings),
                Session.expires_at > now(),
            )
        )
    if user is None:
        raise HTTPException(401, "You are not signed in: sign in, then try again.")
    return user


CurrentUser = Annotated[User, Depends(current_user)]
SessionToken = Annotated[str | None, Depends(_cookie)]


def require_role(role: str) -> Callable[[User], Coroutine[Any, Any, User]]:
    """A dependency that lets only users with `role` pass (403)."""

    async def check(user: CurrentUser) -> User:
        if role not in user.roles:
            raise HTTPException(403, f"This needs the role {role}: ask an administrator.")
        return user

    return check


async def same_origin(request: Request) -> None:
    """Refuse (403) a request that changes something and comes from another site's page."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("origin")
    if origin is None:
        # Not every browser sends Origin, but those that do not send this.
        foreign = request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
    else:
        foreign = origin.partition("://")[2] != request.headers.get("host")
    if foreign:
        raise HTTPException(
            403, "The request comes from another site: open the platform under its own address."
        )


def _token_hash(token: str, settings: Settings) -> str:
    # Keyed, so that a new SECRET_KEY ends every session.
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
