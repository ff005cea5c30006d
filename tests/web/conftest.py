"""A browser in front of the running platform. Whatever a test does, no request leaves it."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.platform import Platform

# Milliseconds. Two cores, and a first visit that builds every page.
PATIENCE = 30_000
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine, for one module: Playwright's event loop stops others' tests."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=SWITCHES,
            # Users' browsers show a page that one goes back to as it was left.
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, platform: Platform) -> Iterator[OpenPage]:
    """Opens a browser of its own at the platform; options are those of Playwright's contexts."""
    contexts, outside, errors = [], [], []

    def record(url: str) -> None:
        local = platform.web, platform.web.replace("http", "ws"), "data:", "blob:"
        if not url.startswith(local):
            outside.append(url)

    def open_one(**options: object) -> Page:
        context = browser.new_context(base_url=platform.web, **options)
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda request: record(request.url))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not outside
    assert not errors


@pytest.fixture
def page(open_page: OpenPage, platform: Platform) -> Page:
    """A desktop's browser, signed in."""
    page = open_page()
    sign_in(page, platform)
    return page


def sign_in(page: Page, platform: Platform) -> None:
    """Fill in the form that is shown, and wait for the page behind it."""
    page.get_by_label("E-mail address").fill(platform.email)
    page.get_by_label("Password", exact=True).fill(platform.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Prompt")).to_be_visible()


def ask(page: Page, agent: str, prompt: str) -> None:
    """Start a conversation with an agent."""
    page.get_by_role("link", name="New conversation").click()
    page.get_by_role("button", name=agent).click()
    page.get_by_role("textbox", name="Prompt").fill(prompt)
    page.keyboard.press("Enter")
    page.wait_for_url("**/conversations/*")


def wait_for_answer(page: Page) -> None:
    """Return when the answer is complete."""
    expect(page.get_by_role("button", name="Copy the answer").last).to_be_visible()
    expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
