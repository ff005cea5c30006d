"""The user of a request: named by the API with the service token, or the local developer."""

import hmac
import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote, urlsplit

import structlog
from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from shared.settings import Settings, get_settings

USER_HEADER = "X-Platform-User"
ROLES_HEADER = "X-Platform-Roles"
USER_ID = re.compile(r"[\x21-\x7e]{1,255}")

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
# Headers of proxies: the address of the connection is then the proxy's.
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")

bearer = HTTPBearer(auto_error=False, description="The service token")
api_key = APIKeyHeader(name="X-Api-Key", auto_error=False, description="The service token")


@dataclass(frozen=True)
class User:
    """The user of a request. `roles` None means every role."""

    id: str
    roles: frozenset[str] | None = None

    @property
    def role_names(self) -> list[str] | None:
        """The roles in the form of `RunRequest.roles`."""
        return None if self.roles is None else sorted(self.roles)


async def current_user(
    request: Request,
    authorization: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    key: Annotated[str | None, Depends(api_key)],
) -> User:
    """The user of a request.

    With the service token, it is the user in the header `X-Platform-User`, with the roles in
    `X-Platform-Roles` (comma-separated, each percent-encoded), or "service" without these headers.
    In development, programs on this machine need no token and are the user "developer". Raises 401
    otherwise.
    """
    settings = get_settings()
    shown = authorization.credentials if authorization else key
    if (
        shown is None
        and "authorization" not in request.headers
        and _is_developer(request, settings)
    ):
        user = User("developer")
    elif shown is not None and _is_token(shown, settings):
        user = _acting_user(request)
    else:
        raise HTTPException(
            401,
            "Send the service token, as `Authorization: Bearer …` or `X-Api-Key`.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    structlog.contextvars.bind_contextvars(user=user.id)
    return user


CurrentUser = Annotated[User, Depends(current_user)]


def may_see_details(request: Request) -> bool:
    """Whether a public route may show details: to the token's holders and the local developer."""
    settings, headers = get_settings(), request.headers
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        shown = headers.get("x-api-key", "")
    credentials = bool(scheme or shown)
    return _is_token(shown, settings) if credentials else _is_developer(request, settings)


def _is_token(shown: str, settings: Settings) -> bool:
    token = settings.service_token.get_secret_value()
    return bool(token) and hmac.compare_digest(shown.encode(), token.encode())


def _acting_user(request: Request) -> User:
    user_id = request.headers.get(USER_HEADER)
    if user_id is None:
        return User("service")
    if not USER_ID.fullmatch(user_id):
        raise HTTPException(400, f"{USER_HEADER} is not a valid user ID.")
    roles = request.headers.get(ROLES_HEADER, "").split(",")
    return User(user_id, frozenset(unquote(role.strip()) for role in roles if role.strip()))


def _is_developer(request: Request, settings: Settings) -> bool:
    """Whether the caller is a program on this machine, not a web page in a browser.

    A page of another site can send requests to 127.0.0.1, with its site as `Origin`, or with a
    `Host` that its owner's DNS resolves to 127.0.0.1.
    """
    headers = request.headers
    if settings.environment != "development" or request.client is None:
        return False
    if any(header in headers for header in PROXY_HEADERS):
        return False
    host = headers.get("host", "")
    origin = headers.get("origin", f"//{host}")
    try:
        local = urlsplit(f"//{host}").hostname in LOCAL_NAMES
        own = urlsplit(origin).netloc == host
    except ValueError:
        # Not an address, such as `http://[`.
        return False
    return (
        _is_this_machine(request.client.host, settings)
        and local
        and own
        and headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    )


def _is_this_machine(host: str, settings: Settings) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address == settings.agents.developer_address
