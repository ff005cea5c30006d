"""What a user does in the browser."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.platform import Platform

# Milliseconds: enough for a first visit, which builds every page, on a busy machine.
PATIENCE = 60_000

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Opens the platform in a new browser; options are those of Playwright's contexts.
OpenPage = Callable[..., Page]


@contextmanager
def chromium() -> Iterator[Browser]:
    """This machine's Chromium, without a window."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=SWITCHES,
            # Without it, going back would load the page again, unlike in users' browsers.
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        browser.close()


def sign_in(page: Page, platform: Platform) -> None:
    """Fill in the sign-in form, and wait for the page behind it."""
    page.get_by_label("E-mail address").fill(platform.email)
    page.get_by_label("Password", exact=True).fill(platform.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Prompt")).to_be_visible()


def ask(page: Page, agent: str, prompt: str) -> None:
    """Start a conversation with an agent."""
    # A conversation whose first prompt is on its way has this name in the list.
    page.get_by_role("link", name="New conversation").first.click()
    page.get_by_role("button", name=agent).click()
    page.get_by_role("textbox", name="Prompt").fill(prompt)
    page.keyboard.press("Enter")
    page.wait_for_url("**/conversations/*")


def wait_for_reply(page: Page) -> None:
    """Return when the reply is complete."""
    expect(page.get_by_role("button", name="Copy the reply").last).to_be_visible()
    expect(page.get_by_role("button", name="Stop the reply")).to_be_hidden()
