"""Passwords: random ones, and their hashes."""

import secrets

from pwdlib import PasswordHash

# Letters and digits that cannot be confused; 20 of them are 98 bits.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"

_hasher = PasswordHash.recommended()
# Compared when the account is unknown, so that the response takes as long as for a known one.
_unknown = _hasher.hash(secrets.token_hex())


def new_password() -> str:
    """A random password that is easy to read out and type."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(5)) for _ in range(4))


def hash_password(password: str) -> str:
    """The Argon2 hash to store. Takes a fraction of a second: see `Turns`."""
    return _hasher.hash(password)


def check_password(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether the password is that of the hash, and a new hash if the old one is outdated.

    Without a hash the password is wrong, after the same time.
    """
    valid, new_hash = _hasher.verify_and_update(password, stored or _unknown)
    return valid and stored is not None, new_hash


def normalise_email(email: str) -> str:
    """The form in which addresses are stored and compared."""
    return email.strip().lower()
