"""Passwords: random ones, their hashes, and the check of a login."""

import secrets

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from pwdlib import PasswordHash
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts.models import User

# Letters and digits that cannot be confused; 20 of them are 98 bits.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"

_hasher = PasswordHash.recommended()
# Compared when the account is unknown, so that the response takes as long as for a known one.
_unknown = _hasher.hash(secrets.token_hex())
# Each hash uses 64 MiB of memory for a moment.
_concurrently = CapacityLimiter(4)


def new_password() -> str:
    """A random password that is easy to read out and type."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(5)) for _ in range(4))


def hash_password(password: str) -> str:
    """The Argon2 hash to store. Takes tens of milliseconds: see `hash_in_thread`."""
    return _hasher.hash(password)


async def hash_in_thread(password: str) -> str:
    """The same without blocking the event loop."""
    return await run_sync(hash_password, password, limiter=_concurrently)


def normalise_email(email: str) -> str:
    """The form in which addresses are stored and compared."""
    return email.strip().lower()


async def verify_login(session: AsyncSession, email: str, password: str) -> User | None:
    """The user with this address and password, or None, after the same time for both."""
    user = await session.scalar(select(User).where(User.email == normalise_email(email)))
    stored = user.password_hash if user else _unknown
    valid, new_hash = await run_sync(
        _hasher.verify_and_update, password, stored, limiter=_concurrently
    )
    if user is None or not valid:
        return None
    if new_hash:
        user.password_hash = new_hash
    return user
