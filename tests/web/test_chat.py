"""Conversations in the browser."""

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PATIENCE, OpenPage, ask, sign_in, wait_for_reply
from tests.support.platform import Platform


@pytest.mark.usefixtures("waiting_agent")
def test_a_reply_streams_with_its_steps(page: Page, tmp_path: Path) -> None:
    page.reload()
    ask(page, "Test agent", f"begin {tmp_path / 'file'}")
    expect(page.get_by_text("it has begun")).to_be_visible()
    expect(
        page.get_by_role("listitem").filter(has_text=re.compile("Work.*running"))
    ).to_be_visible()
    page.get_by_role("button", name="Stop the reply").click()
    expect(page.get_by_text("You stopped this reply.")).to_be_visible()


def test_a_finished_reply_shows_how_it_came_about(page: Page) -> None:
    ask(page, "Marketing swarm", "Announce a bicycle repair kit")
    wait_for_reply(page)
    expect(page.get_by_role("article", name="Agent")).to_contain_text("bicycle repair kit")
    expect(page.get_by_text("Worked through")).to_be_visible()


def test_a_reload_finds_the_conversation(page: Page) -> None:
    ask(page, "Marketing swarm", "Announce a folding ladder")
    wait_for_reply(page)
    reply = page.get_by_role("article", name="Agent").inner_text()
    page.reload()
    expect(page.get_by_role("article", name="You")).to_have_text("Announce a folding ladder")
    assert page.get_by_role("article", name="Agent").inner_text() == reply


@pytest.mark.usefixtures("waiting_agent")
def test_a_reload_in_the_middle_goes_on_with_the_reply(page: Page, tmp_path: Path) -> None:
    page.reload()
    ask(page, "Test agent", f"wait {tmp_path / 'file'}")
    expect(page.get_by_role("button", name="Stop the reply")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Stop the reply")).to_be_visible()
    (tmp_path / "file").write_text("it went on")
    wait_for_reply(page)
    expect(page.get_by_role("article", name="Agent")).to_contain_text("it went on")


@pytest.mark.usefixtures("waiting_agent")
def test_a_reply_can_be_stopped(page: Page, tmp_path: Path) -> None:
    page.reload()
    ask(page, "Test agent", f"wait {tmp_path / 'file'}")
    page.get_by_role("button", name="Stop the reply").click()
    expect(page.get_by_text("You stopped this reply.")).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text("You stopped this reply.")).to_be_visible()


@pytest.mark.usefixtures("waiting_agent")
def test_the_part_of_a_reply_that_had_arrived_stays(
    page: Page, open_page: OpenPage, platform: Platform, tmp_path: Path
) -> None:
    page.reload()
    ask(page, "Test agent", f"begin {tmp_path / 'file'}")
    reply = page.get_by_role("article", name="Agent")
    expect(page.get_by_text("it has begun")).to_be_visible()
    page.get_by_role("button", name="Stop the reply").click()
    expect(reply).to_contain_text("it has begun")
    expect(page.get_by_role("button", name="Stop the reply")).to_be_hidden()

    (tmp_path / "file").touch()
    page.get_by_role("textbox", name="Prompt").fill(f"begin {tmp_path / 'file'}")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The reply failed", exact=True)).to_be_visible()

    other_device = open_page()
    sign_in(other_device, platform)
    for shown in (page, other_device):
        shown.goto(page.url)
        expect(shown.get_by_role("article", name="Agent")).to_have_text(["Reply: it has begun"] * 2)
        expect(shown.get_by_text("You stopped this reply.")).to_be_visible()
        expect(shown.get_by_text("The reply failed", exact=True)).to_be_visible()


@pytest.mark.usefixtures("waiting_agent")
def test_a_reply_that_lost_its_connection_is_loaded_again(page: Page, tmp_path: Path) -> None:
    page.reload()
    with page.expect_response("**/messages"):
        ask(page, "Test agent", f"wait {tmp_path / 'file'}")
    page.context.set_offline(True)
    (tmp_path / "file").write_text("it went on")
    expect(page.get_by_text("The connection is lost")).to_be_visible(timeout=2 * PATIENCE)
    page.context.set_offline(False)
    page.get_by_role("button", name="Load again").click()
    expect(page.get_by_text("The connection is lost")).to_be_hidden()
    expect(page.get_by_role("article", name="Agent")).to_contain_text("it went on")


@pytest.mark.usefixtures("waiting_agent")
def test_a_reply_ends_although_the_api_was_killed(
    page: Page, platform: Platform, tmp_path: Path
) -> None:
    page.reload()
    ask(page, "Test agent", f"begin {tmp_path / 'file'}")
    expect(page.get_by_text("it has begun")).to_be_visible()
    started = r"api .*Started server process \[(\d+)\]"
    os.kill(int(re.findall(started, platform.log.read_text())[-1]), signal.SIGKILL)
    (tmp_path / "file").touch()
    # A new process of the API has to start first.
    failed = page.get_by_text("The reply failed", exact=True)
    expect(failed).to_be_visible(timeout=2 * PATIENCE)


@pytest.mark.usefixtures("waiting_agent")
def test_the_list_follows_a_reply_whose_page_is_closed(page: Page, tmp_path: Path) -> None:
    page.reload()
    with page.expect_response("**/messages"):
        ask(page, "Test agent", f"wait {tmp_path / 'file'}")
    page.get_by_role("link", name="Help").click()
    conversations = page.get_by_role("navigation", name="Conversations")
    expect(conversations.get_by_text("(replying)")).to_be_attached()
    (tmp_path / "file").write_text("it went on")
    expect(conversations.get_by_text("(replying)")).not_to_be_attached()


def test_a_prompt_or_decision_that_could_not_be_sent_can_be_sent_again(page: Page) -> None:
    ask(page, "Approval desk", "Mr Hill, hill@example.com, asks for a discount")
    page.get_by_role("button", name="Approve").wait_for()
    page.context.set_offline(True)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("Not sent")
    page.get_by_role("textbox", name="Prompt").fill("Do not write to him")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("Do not write to him")
    page.context.set_offline(False)
    page.get_by_role("button", name="Approve").click()
    wait_for_reply(page)
    expect(page.get_by_text("Approved", exact=True)).to_be_visible()


def test_a_person_rejects_what_an_agent_proposes(page: Page) -> None:
    ask(page, "Approval desk", "Ms Smith, smith@example.com, asks for a new invoice")
    page.get_by_role("button", name="Reject").click()
    page.get_by_label("What is wrong?").fill("Too late")
    page.get_by_role("button", name="Reject").click()
    wait_for_reply(page)
    expect(page.get_by_text("Rejected: Too late")).to_be_visible()
    expect(page.get_by_role("article", name="Agent").last).to_contain_text("not sent")


def test_a_person_changes_what_an_agent_proposes(page: Page) -> None:
    ask(page, "Approval desk", "Mr Jones, jones@example.com, asks for a refund")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Subject").fill("About your refund of today")
    page.get_by_role("button", name="Approve with changes").click()
    wait_for_reply(page)
    expect(page.get_by_role("article", name="Agent").last).to_contain_text(
        "About your refund of today"
    )


def test_a_decision_that_did_not_reach_the_agent_is_explained_and_asked_again(page: Page) -> None:
    ask(page, "Approval desk", "Ms Reed, reed@example.com, asks for a manual")
    page.get_by_role("button", name="Approve").wait_for()
    conversation = page.url.rpartition("/")[2]
    wrong = {"value": {"type": "approve"}}
    page.request.post(f"/api/conversations/{conversation}/resume", data=wrong)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("Your decision did not reach the agent")
    page.get_by_role("button", name="Approve").click()
    wait_for_reply(page)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_conversation_is_searched_renamed_and_deleted(page: Page) -> None:
    ask(page, "Marketing swarm", "Announce a wool blanket")
    wait_for_reply(page)
    conversations = page.get_by_role("navigation", name="Conversations")
    conversations.get_by_role("link", name="Announce a wool blanket").hover()
    page.get_by_role("button", name="Actions for Announce a wool blanket").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Title").fill("Blankets & pillows")
    page.keyboard.press("Enter")
    renamed = conversations.get_by_role("link", name="Blankets & pillows")
    expect(renamed).to_be_visible()

    page.get_by_role("searchbox", name="Search conversations").fill("PILLOWS")
    expect(conversations.get_by_role("link")).to_have_count(1)
    page.get_by_role("searchbox", name="Search conversations").fill("no such title")
    expect(conversations.get_by_text("No title contains")).to_be_visible()
    page.get_by_role("searchbox", name="Search conversations").fill("")

    renamed.hover()
    page.get_by_role("button", name="Actions for Blankets & pillows").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(renamed).to_be_hidden()
    page.wait_for_url(lambda url: url.endswith("/"))


def test_a_session_that_is_over_keeps_the_prompt_and_the_place(
    page: Page, platform: Platform
) -> None:
    ask(page, "Marketing swarm", "Announce a desk lamp")
    wait_for_reply(page)
    place = page.url
    page.context.clear_cookies()
    page.get_by_role("textbox", name="Prompt").fill("Now make it shorter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your session is over")).to_be_visible()
    sign_in(page, platform)
    page.wait_for_url(place)
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("Now make it shorter")


def test_signing_out_leaves_nothing_to_the_next_user(page: Page, platform: Platform) -> None:
    ask(page, "Marketing swarm", "Announce a safe")
    wait_for_reply(page)
    conversations = page.get_by_role("navigation", name="Conversations")
    page.get_by_role("link", name="New conversation").click()
    page.get_by_role("textbox", name="Prompt").fill("The safe's number")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_label("Password", exact=True).wait_for()
    # The next user has no conversations.
    page.route(
        "**/api/conversations?*", lambda route: route.fulfill(json={"items": [], "next": None})
    )
    sign_in(page, platform)
    expect(conversations).to_contain_text("will be listed here")
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("")


def test_going_back_after_signing_out_shows_the_sign_in_page(page: Page) -> None:
    ask(page, "Marketing swarm", "Announce a diary")
    wait_for_reply(page)
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_label("Password", exact=True).wait_for()
    page.evaluate("history.back()")
    page.wait_for_url("**/sign-in?next=/conversations/*")
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    expect(page.get_by_text("Your session is over")).to_be_hidden()


def test_a_service_that_is_down_is_explained_and_can_be_tried_again(page: Page) -> None:
    # A proxy's response for a service that does not run.
    page.route("**/api/agents", lambda route: route.fulfill(status=502, body=""))
    page.reload()
    expect(page.get_by_text("The agents could not be loaded")).to_be_visible()
    expect(page.get_by_text("check your network and that the API runs")).to_be_visible()
    page.unroute("**/api/agents")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Marketing swarm")).to_be_visible()


def test_a_wrong_password_is_explained(open_page: OpenPage, platform: Platform) -> None:
    page = open_page()
    page.get_by_label("E-mail address").fill(platform.email)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    sign_in(page, platform)


def test_an_administrator_sees_why_an_agent_does_not_load(page: Page, platform: Platform) -> None:
    folder = platform.root / "apps/langgraph/src/agents/unfinished"
    folder.mkdir()
    try:
        (folder / "graph.py").write_text("graph = (\n")
        (folder / "agent.toml").write_text('title = "Unfinished"\n')

        def shown() -> bool:
            page.reload()
            expect(page.get_by_role("button", name="Marketing swarm")).to_be_visible()
            return page.get_by_text("Does not load").is_visible()

        while not shown():
            pass
        reason = page.get_by_role("region", name="Why unfinished does not load")
        expect(reason).to_contain_text("graph.py, line 1")
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
