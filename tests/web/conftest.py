"""A browser at the running platform. A request to any other address fails the test."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.browser import PATIENCE, OpenPage, sign_in
from tests.support.platform import Platform

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """This machine's Chromium; for one module, as Playwright's event loop stops other tests."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=SWITCHES,
            # Without it, going back would load the page again, unlike in users' browsers.
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, platform: Platform) -> Iterator[OpenPage]:
    """Opens the platform in a new browser; options are those of Playwright's contexts."""
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
    """A desktop browser, signed in."""
    page = open_page()
    sign_in(page, platform)
    return page
