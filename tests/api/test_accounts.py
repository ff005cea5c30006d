"""What administrators do with accounts, on both databases."""

import json
from pathlib import Path

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
            assert list(stream)[-1]["type"] == "done"

        assert client.get(conversation.url).status_code == 401
        assert not services.submitted(conversation)
