"""Sessions of signed-in browsers, and the dependencies of routes that need a user.

A session ends after `SESSION_LIFETIME`, or earlier if it is not used: `[api] session_idle_minutes`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response
from fastapi.security import APIKeyCookie
from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts.models import Session, User
from apps.api.src.core.database import DbSession
from apps.api.src.core.tables import now
from shared.settings import Settings

SESSION_LIFETIME = timedelta(days=7)
# The last use of a session is stored this often at most.
LAST_SEEN_STEP = timedelta(minutes=1)
COOKIE = "session"

LAST_SEEN = func.coalesce(Session.last_seen_at, Session.created_at)
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by `login`.")


async def current_user(
    request: Request, session: DbSession, token: Annotated[str | None, Depends(_cookie)]
) -> User:
    """The user of the session cookie; 401 without a valid one, 429 after too many requests."""
    settings: Settings = request.app.state.settings
    found = None
    if token:
        mine = Session.token_hash == keyed_hash(token, settings)
        query = select(User, LAST_SEEN).join_from(User, Session).where(mine, is_valid(settings))
        found = (await session.execute(query)).one_or_none()
    if found is None:
        raise HTTPException(401, "You are not signed in: sign in, then try again.")
    user, last_seen = found
    await request.app.state.request_rate.hit(str(user.id))
    if now() - last_seen > min(LAST_SEEN_STEP, _idle_limit(settings) / 10):
        await session.execute(update(Session).where(mine).values(last_seen_at=now()))
        await session.commit()
    return user


CurrentUser = Annotated[User, Depends(current_user)]
SessionToken = Annotated[str | None, Depends(_cookie)]


def require_role(role: str) -> Callable[[User], Coroutine[Any, Any, User]]:
    """A dependency that refuses (403) users without `role`."""

    async def check(user: CurrentUser) -> User:
        if role not in user.roles:
            raise HTTPException(403, f"You need the role {role}: ask an administrator.")
        return user

    return check


async def start_session(
    session: AsyncSession, user: User, response: Response, settings: Settings
) -> None:
    """Sign the browser in; also removes sessions that are over."""
    await session.execute(delete(Session).where(~is_valid(settings)))
    user.last_login_at = now()
    token = secrets.token_urlsafe(32)
    session.add(
        Session(
            token_hash=keyed_hash(token, settings),
            user_id=user.id,
            expires_at=now() + SESSION_LIFETIME,
        )
    )
    await session.commit()
    seconds = int(SESSION_LIFETIME.total_seconds())
    response.set_cookie(COOKIE, token, max_age=seconds, **_cookie_attributes(settings))


async def end_session(
    session: AsyncSession, token: str, response: Response, settings: Settings
) -> None:
    """Revoke the session and remove its cookie."""
    await session.execute(delete(Session).where(Session.token_hash == keyed_hash(token, settings)))
    await session.commit()
    response.delete_cookie(COOKIE, **_cookie_attributes(settings))


async def end_other_sessions(
    session: AsyncSession, user: User, token: str, settings: Settings
) -> None:
    """Revoke all sessions of the user except that of `token`."""
    await session.execute(
        delete(Session).where(
            Session.user_id == user.id, Session.token_hash != keyed_hash(token, settings)
        )
    )
    await session.commit()


def is_valid(settings: Settings) -> ColumnElement[bool]:
    """The condition that a session is not over."""
    idle_since = now() - _idle_limit(settings)
    return and_(Session.expires_at > now(), LAST_SEEN > idle_since)  # noqa: SIM300


def keyed_hash(secret: str, settings: Settings) -> str:
    """What is stored of a secret; keyed, so that a new SECRET_KEY ends every session."""
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, secret.encode(), hashlib.sha256).hexdigest()


def _cookie_attributes(settings: Settings) -> dict[str, Any]:
    https = settings.environment == "production"
    return {"httponly": True, "samesite": "strict", "secure": https}


def _idle_limit(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.api.session_idle_minutes)
