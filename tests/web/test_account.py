"""Changing your password."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import OpenPage, ask, sign_in, wait_for_reply
from tests.support.platform import Platform

NEW = "a password that Anna chose"


@pytest.fixture
def anna(platform: Platform) -> Iterator[Platform]:
    """The platform with the login of an account for one test."""
    command = ("uv", "run", "platform", "admin")
    account = json.loads(platform.run(*command, "add", "anna@acme.example"))
    yield replace(platform, **account)
    platform.run(*command, "remove", "anna@acme.example", "--delete-conversations")


def change_password(page: Page, current: str, new: str, repeated: str) -> None:
    """Fill in the form and send it by keyboard."""
    page.get_by_label("Current password").fill(current)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("Repeat the new password").fill(repeated)
    page.get_by_role("button", name="Change the password").press("Enter")


def test_users_change_their_own_password(open_page: OpenPage, anna: Platform) -> None:
    page, other = open_page(), open_page()
    for browser in (page, other):
        sign_in(browser, anna)
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Change your password").click()
    expect(page.get_by_label("Current password")).to_be_focused()

    current = page.get_by_label("Current password")
    change_password(page, "not the password", NEW, NEW)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(current).to_have_accessible_description(re.compile("current password is wrong"))
    expect(current).to_be_focused()
    change_password(page, anna.password, NEW, "something else")
    repeated = page.get_by_label("Repeat the new password")
    expect(repeated).to_have_accessible_description(re.compile("differ"))
    expect(repeated).to_be_focused()
    expect(current).to_have_accessible_description("")
    change_password(page, anna.password, NEW, NEW)
    expect(page.get_by_role("status").get_by_text("Your password is changed")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(current).to_be_focused()

    page.reload()
    expect(page.get_by_label("Current password")).to_be_visible()
    other.reload()
    sign_in(other, replace(anna, password=NEW))


def test_the_seconds_to_wait_count_down(open_page: OpenPage, platform: Platform) -> None:
    page = open_page()
    detail = "Too many attempts: wait 3 seconds, then try again."
    page.route(
        "**/api/auth/login",
        lambda route: route.fulfill(
            status=429, headers={"Retry-After": "3"}, json={"detail": detail}
        ),
    )
    page.get_by_label("E-mail address").fill(platform.email)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("wait 3 seconds")
    expect(page.get_by_text("You can try again now.")).to_be_visible()


def test_a_password_that_is_too_short_is_not_sent(open_page: OpenPage, anna: Platform) -> None:
    page = open_page()
    sign_in(page, anna)
    page.goto("/account/password")
    change_password(page, anna.password, "short", "short")

    expect(page.get_by_label("New password", exact=True)).to_be_focused()
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.usefixtures("waiting_agent")
def test_an_open_reply_asks_to_sign_in_after_a_new_password(
    open_page: OpenPage, anna: Platform, tmp_path: Path
) -> None:
    page = open_page()
    sign_in(page, anna)
    page.reload()
    ask(page, "Test agent", f"wait {tmp_path / 'file'}")
    expect(page.get_by_role("button", name="Stop the reply")).to_be_visible()
    reset = anna.run("uv", "run", "platform", "admin", "reset-password", "anna@acme.example")

    expect(page.get_by_text("Your session is over")).to_be_visible()
    page.get_by_label("E-mail address").fill(anna.email)
    page.get_by_label("Password", exact=True).fill(json.loads(reset)["password"])
    page.get_by_role("button", name="Sign in").click()
    (tmp_path / "file").write_text("the agent went on")
    wait_for_reply(page)
    expect(page.get_by_role("main").get_by_text("the agent went on")).to_be_visible()


def test_guesses_through_the_web_are_limited_by_account(anna: Platform) -> None:
    with httpx2.Client(base_url=anna.web, timeout=120) as client, ThreadPoolExecutor(40) as pool:

        def guess(number: int) -> int:
            headers = {"X-Forwarded-For": f"203.0.113.{number}"}
            body = {"email": anna.email, "password": "wrong"}
            return client.post("/api/auth/login", json=body, headers=headers).status_code

        assert Counter(pool.map(guess, range(40))) == {401: 5, 429: 35}
