"""Changing your password."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import OpenPage, sign_in
from tests.support.platform import Platform

NEW = "a password that Anna chose"


@pytest.fixture
def anna(platform: Platform) -> Iterator[Platform]:
    """The platform with the login of an account for one test."""
    command = ("uv", "run", "platform", "admin")
    account = json.loads(platform.run(*command, "add", "anna@acme.example"))
    yield replace(platform, **account)
    platform.run(*command, "remove", "anna@acme.example")


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


def test_a_password_that_is_too_short_is_not_sent(open_page: OpenPage, anna: Platform) -> None:
    page = open_page()
    sign_in(page, anna)
    page.goto("/account/password")
    change_password(page, anna.password, "short", "short")

    expect(page.get_by_label("New password", exact=True)).to_be_focused()
    expect(page.get_by_role("alert")).to_be_hidden()
