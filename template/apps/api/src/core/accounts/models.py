"""Tables of accounts and their sessions."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from apps.api.src.core.tables import Base, Serial, now


class User(Base):
    """A person with an account. The e-mail address is stored in lower case."""

    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    roles: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_login_at: Mapped[datetime | None]


class Session(Base):
    """A signed-in browser. Of the cookie's token only a keyed hash is stored."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LoginAttempt(Base):
    """An attempt to sign in, kept until `expires_at`; see `attempts.py`.

    `account` and `address` are keyed hashes: what is typed as e-mail address may be a password.
    """

    __tablename__ = "login_attempts"
    __table_args__ = (
        Index(None, "account", "expires_at"),
        Index(None, "address", "expires_at"),
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    account: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    succeeded: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime] = mapped_column(index=True)
