"""What administrators do with accounts, on both databases."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.api.services import EMAIL, Conversation, Services, python
from tests.support.waiting import wait_until

ADMIN = "apps.api.src.core.accounts.admin"
ANNA = "anna@acme.example"
# Two administrators lose the role at the same time.
RACE = f"""
import asyncio
from apps.api.src.core.accounts.administration import AdminError, set_roles
from apps.api.src.core.database import Database
from shared.settings import get_settings

async def main():
    database = Database(get_settings())
    changes = [set_roles(database, email, []) for email in ("{EMAIL}", "{ANNA}")]
    ends = await asyncio.gather(*changes, return_exceptions=True)
    print([type(end).__name__ for end in ends if not isinstance(end, dict)])
    await database.engine.dispose()

asyncio.run(main())
"""


NEW = "a password that Anna chose"


@dataclass
class Anna:
    """An account for one test, and its browser."""

    services: Services
    password: str
    client: httpx2.Client

    def sign_out(self) -> None:
        """Sign out in another tab."""
        self.client.post("/auth/logout").raise_for_status()

    def change_password(self) -> None:
        """Choose another password in another browser."""
        account = {"email": ANNA, "password": self.password}
        with self.services.browser(account=account) as other:
            choose_password(other, self.password)

    def reset_password(self) -> None:
        """Have the password replaced by an administrator."""
        self.services.run(ADMIN, "reset-password", ANNA)


def choose_password(client: httpx2.Client, current: str) -> None:
    """Replace the password `current` by `NEW`."""
    body = {"current_password": current, "new_password": NEW}
    client.put("/auth/password", json=body).raise_for_status()


@pytest.fixture
def anna(services: Services) -> Iterator[Anna]:
    """A signed-in user."""
    account = json.loads(services.run(ADMIN, "add", ANNA))
    with services.browser(account=account) as client:
        yield Anna(services, account["password"], client)
    services.run(ADMIN, "remove", ANNA, "--delete-conversations")


def test_one_administrator_is_left(services: Services) -> None:
    services.run(ADMIN, "add", ANNA, "--role", "admin")
    try:
        assert python(services, RACE).stdout == "['AdminError']\n"

        users = json.loads(services.run(ADMIN, "list", "--json"))
        assert sorted(user["roles"] for user in users) == [[], ["admin"]]
    finally:
        services.run(ADMIN, "set-roles", EMAIL, "--role", "admin")
        services.run(ADMIN, "remove", ANNA)


def test_the_list_is_a_table(services: Services) -> None:
    head, line = services.run(ADMIN, "list").splitlines()

    assert head.split()[:2] == ["E-MAIL", "ROLES"]
    assert line.split()[:2] == [EMAIL, "admin"]


def test_removing_an_account_ends_its_replies(services: Services, tmp_path: Path) -> None:
    account = json.loads(services.run(ADMIN, "add", ANNA))
    with services.browser(account=account) as client:
        conversation = Conversation(client)
        with conversation.ask(f"wait {tmp_path / 'never'}") as stream:
            wait_until(lambda: services.submitted(conversation))
            services.run(ADMIN, "remove", ANNA, "--delete-conversations")
            # Either the run or the session ends first.
            list(stream)

        assert client.get(conversation.url).status_code == 401
        assert not services.submitted(conversation)


@pytest.mark.parametrize("end", [Anna.sign_out, Anna.change_password, Anna.reset_password])
@pytest.mark.parametrize("limit", [60, pytest.param(2, marks=pytest.mark.long)])
def test_streams_end_with_the_session(
    anna: Anna, end: Callable[[Anna], None], limit: float, tmp_path: Path
) -> None:
    with Conversation(anna.client).ask(f"wait {tmp_path / 'never'}") as stream:
        end(anna)
        ended = time.monotonic()
        assert "done" not in [event["type"] for event in stream]

    assert time.monotonic() - ended < limit
    assert anna.client.get("/auth/me").status_code == 401


def test_a_new_password_leaves_the_streams_of_its_own_session(anna: Anna, tmp_path: Path) -> None:
    file = tmp_path / "file"
    with Conversation(anna.client).ask(f"wait {file}") as stream:
        choose_password(anna.client, anna.password)
        # Longer than the interval at which streams of other sessions are ended.
        time.sleep(2)
        file.write_text("it went on")
        assert list(stream)[-1]["type"] == "done"
