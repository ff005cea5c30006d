"""The brake on guessing passwords, by attempts to sign in that all replicas count in the database.

An account has five attempts a minute from all addresses together. An address from which it was
signed in to during the last 30 days is known, and has five attempts of its own: whoever guesses
elsewhere does not keep the owner out. An address has 300 attempts a minute at accounts that do not
know it, so that guessing at one account slows nobody else behind the same address. Attempts that
are refused here do not count.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts.models import LoginAttempt
from apps.api.src.core.accounts.passwords import normalise_email
from apps.api.src.core.accounts.sessions import keyed_hash
from apps.api.src.core.database import begin_write
from apps.api.src.core.tables import now
from shared.limits import too_many
from shared.settings import Settings

WINDOW = timedelta(minutes=1)
ACCOUNT_LIMIT = 5
ADDRESS_LIMIT = 300
KNOWN = timedelta(days=30)


@dataclass(frozen=True)
class Attempt:
    """An attempt, with keyed hashes of the e-mail address and the client's address.

    `known` says that the account was signed in to from this address.
    """

    account: str
    address: str
    known: bool


async def announce(session: AsyncSession, email: str, address: str, settings: Settings) -> Attempt:
    """An attempt that is not counted yet. Holds no connection afterwards."""
    account = keyed_hash(normalise_email(email), settings)
    address = keyed_hash(address, settings)
    success = select(LoginAttempt.id).where(
        LoginAttempt.account == account,
        LoginAttempt.address == address,
        LoginAttempt.succeeded,
        LoginAttempt.expires_at > now(),
    )
    known = await session.scalar(success.limit(1)) is not None
    await session.commit()
    return Attempt(account, address, known)


async def reserve(session: AsyncSession, attempt: Attempt) -> None:
    """Count an attempt before its password is checked; commits.

    Raises 429 if the attempt exceeds a limit.
    """
    await begin_write(session)
    await _lock(session, attempt.account)
    by_account = LoginAttempt.account == attempt.account
    by_address = LoginAttempt.address == attempt.address
    if attempt.known:
        await _refuse_excess(session, ACCOUNT_LIMIT, by_account & by_address)
    else:
        await _refuse_excess(session, ACCOUNT_LIMIT, by_account)
        await _refuse_excess(session, ADDRESS_LIMIT, by_address)
    await _prune(session)
    pair = {"account": attempt.account, "address": attempt.address}
    session.add(LoginAttempt(**pair, expires_at=now() + WINDOW))
    await session.commit()


async def succeed(session: AsyncSession, attempt: Attempt) -> None:
    """Make the address known to the account, whose attempts from there are counted anew."""
    pair = {"account": attempt.account, "address": attempt.address}
    await session.execute(delete(LoginAttempt).filter_by(**pair))
    session.add(LoginAttempt(**pair, succeeded=True, expires_at=now() + KNOWN))


async def _lock(session: AsyncSession, account: str) -> None:
    """Let no other attempt at the account be counted until the end of the transaction."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(account, 0))))


async def _refuse_excess(session: AsyncSession, limit: int, attempts: ColumnElement[bool]) -> None:
    """Raise 429 if `limit` attempts have failed or are being checked."""
    ends: datetime | None = await session.scalar(
        select(LoginAttempt.expires_at)
        .where(attempts, ~LoginAttempt.succeeded, LoginAttempt.expires_at > now())
        .order_by(LoginAttempt.expires_at.desc())
        .offset(limit - 1)
        .limit(1)
    )
    if ends:
        raise too_many("attempts", max(1, math.ceil((ends - now()).total_seconds())))


async def _prune(session: AsyncSession) -> None:
    expired = select(LoginAttempt.id).where(LoginAttempt.expires_at <= now())
    expired = expired.with_for_update(skip_locked=True)
    await session.execute(delete(LoginAttempt).where(LoginAttempt.id.in_(expired)))
