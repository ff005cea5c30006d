"""A browser at the running platform.

A request to any other address fails the test, and so does a violation of the pages' policy.
"""

import shutil
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import PATIENCE, OpenPage, chromium, sign_in
from tests.support.platform import Platform
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """This machine's Chromium; for one module, as Playwright's event loop stops other tests."""
    with chromium() as one:
        yield one


@pytest.fixture
def open_page(browser: Browser, platform: Platform) -> Iterator[OpenPage]:
    """Opens the platform in a new browser; options are those of Playwright's contexts."""
    contexts, outside, errors, violations = [], [], [], []

    def record(url: str, address: str) -> None:
        local = address, address.replace("http", "ws"), "data:", "blob:"
        if not url.startswith(local):
            outside.append(url)

    def record_console(text: str) -> None:
        if "Content Security Policy" in text:
            violations.append(text)

    def open_one(*, base_url: str = platform.web, **options: object) -> Page:
        context = browser.new_context(base_url=base_url, **options)
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda request: record(request.url, base_url))
        context.on("console", lambda message: record_console(message.text))
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
    assert not violations


@pytest.fixture
def page(open_page: OpenPage, platform: Platform) -> Page:
    """A desktop browser, signed in."""
    page = open_page()
    sign_in(page, platform)
    return page


@pytest.fixture
def waiting_agent(platform: Platform) -> Iterator[None]:
    """The API's test agent: it replies to `wait FILE` as soon as the file exists."""
    agent = platform.root / "apps/langgraph/src/agents/test-agent"
    shutil.copytree(platform.root / "apps/api/tests/support/agents/test-agent", agent)
    with httpx2.Client(base_url=platform.langgraph, timeout=60) as client:
        wait_until(lambda: client.get("/assistants/test-agent").is_success)
    yield
    shutil.rmtree(agent)
