"""Decisions, steps and results as they are shown, during the reply and after a reload."""

import shutil
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import ask, wait_for_reply
from tests.support.platform import Platform
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True, scope="module")
def agents(platform: Platform) -> Iterator[None]:
    """The API's test agents: two that ask, one that returns no messages."""
    names = "desk_agent", "report_agent", "survey_agent"
    folders = [
        platform.root / f"apps/langgraph/src/agents/{one.replace('_', '-')}" for one in names
    ]
    with httpx2.Client(base_url=platform.langgraph, timeout=60) as client:
        for name, folder in zip(names, folders, strict=True):
            folder.mkdir()
            graph = platform.root / f"apps/api/tests/support/graphs/{name}.py"
            shutil.copy(graph, folder / "graph.py")
            address = f"/assistants/{folder.name}"
            wait_until(lambda address=address: client.get(address).is_success)
    yield
    for folder in folders:
        shutil.rmtree(folder)


def test_a_decision_with_changes_is_shown_as_it_was_taken(page: Page, platform: Platform) -> None:
    page.reload()
    ask(page, "Desk agent", "Order 17")
    card = page.get_by_role("region", name="The agent asks for a decision")
    expect(card.get_by_text("Tool execution requires approval", exact=True)).to_be_visible()
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Order", exact=True).fill("Order 18")
    page.get_by_role("button", name="Approve with changes").click()
    wait_for_reply(page)
    for _ in range(2):
        expect(card).to_contain_text(f"Approved with changes, by {platform.email}")
        expect(card.get_by_text("Order 18", exact=True)).to_be_visible()
        expect(card.get_by_text("Order 17", exact=True)).to_be_hidden()
        page.get_by_text("Worked through").last.click()
        expect(page.get_by_text("Tool: Cancel order").last).to_be_visible()
        page.get_by_text("Details").last.click()
        expect(page.get_by_text("Returned")).to_be_visible()
        page.reload()


def test_a_person_answers_for_a_tool(page: Page) -> None:
    page.reload()
    ask(page, "Desk agent", "Order 19")
    page.get_by_role("button", name="Answer").click()
    page.get_by_label("Your answer").fill("It is shipped already")
    page.get_by_role("button", name="Send answer").click()
    wait_for_reply(page)
    page.reload()
    expect(page.get_by_text("Answered: It is shipped already").last).to_be_visible()


def test_two_questions_are_answered_one_after_the_other(page: Page) -> None:
    page.reload()
    ask(page, "Survey agent", "Begin")
    cards = page.get_by_role("region", name="The agent asks for a decision")
    answers = page.get_by_role("textbox", name="Your decision")
    for question, answer, left in (("Your town?", "Bern", 1), ("Your name?", "Ann", 0)):
        card = cards.filter(has_text=question)
        card.get_by_role("textbox").fill(answer)
        card.get_by_role("button", name="Send decision").click()
        expect(answers).to_have_count(left)
        expect(cards).to_have_count(2)
    wait_for_reply(page)
    expect(page.get_by_text("Town: Bern")).to_be_visible()


def test_a_prompt_leaves_an_open_decision_open_unless_it_is_dismissed(page: Page) -> None:
    page.reload()
    ask(page, "Desk agent", "Order 20")
    page.get_by_role("button", name="Approve").wait_for()
    page.get_by_role("textbox", name="Prompt").fill("Order 21")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("waits for your decision")
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    page.get_by_role("button", name="Dismiss the question and send").click()
    expect(page.get_by_text("Order 21", exact=True).first).to_be_visible()
    expect(page.get_by_text("· closed")).to_be_visible()


def test_a_result_that_is_not_a_text_is_readable(page: Page) -> None:
    page.reload()
    ask(page, "Report agent", "long report")
    wait_for_reply(page)
    for _ in range(2):
        expect(page.get_by_role("cell", name="lamp")).to_be_visible()
        expect(page.get_by_role("article", name="Agent")).not_to_contain_text("{")
        page.reload()
