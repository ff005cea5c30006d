"""Sessions of signed-in browsers, and the dependencies of routes that need a user."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response
from fastapi.security import APIKeyCookie
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts.models import Session, User
from apps.api.src.core.accounts.passwords import hash_in_thread
from apps.api.src.core.database import DbSession
from apps.api.src.core.tables import now
from shared.settings import Settings

SESSION_LIFETIME = timedelta(days=7)
COOKIE = "session"

_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by `login`.")


async def current_user(
    request: Request, session: DbSession, token: Annotated[str | None, Depends(_cookie)]
) -> User:
    """The user of the session cookie; 401 without a valid one."""
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
    """A dependency that refuses (403) users without `role`."""

    async def check(user: CurrentUser) -> User:
        if role not in user.roles:
            raise HTTPException(403, f"You need the role {role}: ask an administrator.")
        return user

    return check


async def start_session(
    session: AsyncSession, user: User, response: Response, settings: Settings
) -> None:
    """Sign the browser in; also removes expired sessions."""
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
    seconds = int(SESSION_LIFETIME.total_seconds())
    response.set_cookie(COOKIE, token, max_age=seconds, **_cookie_attributes(settings))


async def end_session(
    session: AsyncSession, token: str, response: Response, settings: Settings
) -> None:
    """Revoke the session and remove its cookie."""
    await session.execute(delete(Session).where(Session.token_hash == _token_hash(token, settings)))
    await session.commit()
    response.delete_cookie(COOKIE, **_cookie_attributes(settings))


async def replace_password(
    session: AsyncSession, user: User, password: str, token: str, settings: Settings
) -> None:
    """Store a new password and end all sessions of the user except that of `token`."""
    user.password_hash = await hash_in_thread(password)
    await session.execute(
        delete(Session).where(
            Session.user_id == user.id, Session.token_hash != _token_hash(token, settings)
        )
    )
    await session.commit()


def _cookie_attributes(settings: Settings) -> dict[str, Any]:
    https = settings.environment == "production"
    return {"httponly": True, "samesite": "strict", "secure": https}


def _token_hash(token: str, settings: Settings) -> str:
    # Keyed, so that a new SECRET_KEY ends every session.
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
