"""What stays right around a conversation: its title, its place, its focus, and other tabs."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import ask, sign_in, wait_for_reply
from tests.support.platform import Platform

LIMIT = 100_000


def test_the_open_conversation_takes_its_new_name(page: Page) -> None:
    ask(page, "Marketing swarm", "Announce a kettle")
    wait_for_reply(page)
    page.get_by_role("button", name="Actions for Announce a kettle").press("Enter")
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Title").fill("Kettles")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Kettles", level=1)).to_be_visible()
    expect(page).to_have_title(re.compile("^Kettles"))


def test_signing_in_again_loads_the_list(page: Page, platform: Platform) -> None:
    ask(page, "Marketing swarm", "Announce a teapot")
    wait_for_reply(page)
    page.route("**/api/conversations?*", lambda route: route.fulfill(status=401, json={}))
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("Your session is over")).to_be_visible()
    page.unroute("**/api/conversations?*")
    sign_in(page, platform)
    conversations = page.get_by_role("navigation", name="Conversations")
    expect(conversations.get_by_role("link", name="Announce a teapot").first).to_be_visible()
    expect(conversations.get_by_role("alert")).to_be_hidden()


@pytest.mark.usefixtures("waiting_agent")
def test_escape_in_the_search_leaves_a_reply_running(page: Page, tmp_path: Path) -> None:
    page.reload()
    ask(page, "Test agent", f"wait {tmp_path / 'file'}")
    expect(page.get_by_role("button", name="Stop the reply")).to_be_visible()
    search = page.get_by_role("searchbox", name="Search conversations")
    search.fill("wait")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    search.press("Escape")
    expect(search).to_have_value("")
    (tmp_path / "file").write_text("it went on")
    wait_for_reply(page)
    assert not [url for url in requests if url.endswith("/cancel")]


@pytest.mark.usefixtures("waiting_agent")
def test_the_focus_returns_to_the_prompt_after_a_stop(page: Page, tmp_path: Path) -> None:
    page.reload()
    ask(page, "Test agent", f"wait {tmp_path / 'file'}")
    page.get_by_role("button", name="Stop the reply").click()
    expect(page.get_by_text("You stopped this reply.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()


@pytest.mark.usefixtures("waiting_agent")
def test_the_end_stays_in_view_however_fast_text_arrives(page: Page, tmp_path: Path) -> None:
    page.reload()
    ask(page, "Test agent", f"wait {tmp_path / 'file'}")
    expect(page.get_by_role("button", name="Stop the reply")).to_be_visible()
    lines = "\n\n".join(f"line {number} of it" for number in range(120))
    (tmp_path / "file").write_text(lines)
    wait_for_reply(page)
    expect(page.get_by_text("line 119 of it")).to_be_in_viewport()


@pytest.mark.usefixtures("waiting_agent")
def test_a_prompt_that_is_sent_again_is_shown_once(page: Page) -> None:
    page.reload()
    ask(page, "Test agent", "fail at this")
    failed = page.get_by_text("The reply failed", exact=True)
    expect(failed).to_be_visible()
    with page.expect_response("**/messages"):
        page.get_by_role("button", name="Send again").click()
    expect(failed).to_be_visible()
    expect(page.get_by_role("article", name="You")).to_have_count(1)
    page.reload()
    expect(failed).to_be_visible()
    expect(page.get_by_role("article", name="You")).to_have_count(1)


def test_a_prompt_over_the_limit_is_refused_before_anything_is_created(page: Page) -> None:
    prompt = page.get_by_role("textbox", name="Prompt")
    prompt.fill("a" * (LIMIT + 1234))
    expect(page.get_by_role("alert")).to_contain_text("Too long by 1,234 characters")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    prompt.press("Enter")
    prompt.fill("a" * LIMIT)
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    assert page.url.endswith("/")


def test_another_tab_learns_of_changes_when_the_user_returns(page: Page) -> None:
    ask(page, "Marketing swarm", "Announce a spoon")
    wait_for_reply(page)
    other = page.context.new_page()
    other.goto(page.url)
    wait_for_reply(other)
    other.get_by_role("textbox", name="Prompt").fill("Now a fork")
    other.keyboard.press("Enter")
    expect(other.get_by_role("article", name="Agent")).to_have_count(2)
    wait_for_reply(other)
    ask(other, "Marketing swarm", "Announce a knife")
    wait_for_reply(other)

    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_role("article", name="You")).to_have_text(["Announce a spoon", "Now a fork"])
    expect(page.get_by_role("article", name="Agent")).to_have_count(2)
    conversations = page.get_by_role("navigation", name="Conversations")
    expect(conversations.get_by_role("link", name="Announce a knife")).to_be_visible()


def test_signing_in_after_going_back_opens_the_page(page: Page, platform: Platform) -> None:
    ask(page, "Marketing swarm", "Announce a bowl")
    wait_for_reply(page)
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_label("Password", exact=True).wait_for()
    page.evaluate("history.back()")
    page.wait_for_url("**/sign-in?next=/conversations/*")
    sign_in(page, platform)
    expect(page.get_by_role("article", name="You")).to_have_text("Announce a bowl")
    expect(page.get_by_text("not signed in")).to_be_hidden()
