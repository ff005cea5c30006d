"""The pages on every screen, in both colour schemes, and without a mouse."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import OpenPage, ask, sign_in, wait_for_reply
from tests.support.platform import Platform

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


# Names and sizes of what is too small for a finger; links in texts are as high as their lines, and
# the label of a checkbox belongs to it.
SMALL_TARGETS = """() =>
  [...document.querySelectorAll('a, button, summary, input, textarea, [role^=menuitem]')]
    .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    .filter((one) => !one.matches('.markdown a, .sr-only, [type=hidden]'))
    .map((one) => (one.matches('[role=checkbox]') ? one.closest(':has(label)') : one))
    .map((one) => ({ name: one.ariaLabel || one.innerText, box: one.getBoundingClientRect() }))
    .filter(({ box }) => box.width < 44 || box.height < 44)
    .map(({ name, box }) => `${name}: ${box.width} x ${box.height}`)
"""


def assert_fits_fingers(page: Page) -> None:
    """Require 44 pixels for all that can be touched, with all details open."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.evaluate(SMALL_TARGETS) == []


def assert_accessible(page: Page) -> None:
    """Wait for animations to end, then require WCAG A and AA."""
    page.wait_for_function("document.getAnimations().every((a) => a.playState !== 'running')")
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(open_page: OpenPage, platform: Platform, scheme: str) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert_accessible(page)
    sign_in(page, platform)
    expect(page.get_by_role("button", name="Marketing swarm")).to_be_visible()
    assert_accessible(page)

    ask(page, "Marketing swarm", "Announce a rain coat")
    wait_for_reply(page)
    assert_accessible(page)

    ask(page, "Approval desk", "Mr Wood, wood@example.com, asks for a catalogue")
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Edit").click()
    assert_accessible(page)

    page.get_by_role("button", name="Your account").click()
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("menuitem", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_accessible(page)

    pages = {
        "/help": "Choose an agent",
        "/account/password": "Current password",
        "/nowhere": "There is no page",
        "/conversations/none": "There is no page",
    }
    for path, text in pages.items():
        page.goto(path)
        expect(page.get_by_text(text)).to_be_visible()
        assert_accessible(page)


@pytest.mark.usefixtures("waiting_agent")
def test_a_conversation_needs_no_mouse(
    open_page: OpenPage, platform: Platform, tmp_path: Path
) -> None:
    page = open_page()
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(platform.email)
    page.keyboard.press("Tab")
    page.keyboard.type(platform.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    expect(page.get_by_role("button", name="Test agent")).to_be_visible()

    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.textContent.includes('Test agent')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    page.keyboard.type(f"wait {tmp_path / 'file'}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop the reply")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("You stopped this reply.")).to_be_visible()

    page.keyboard.press("Control+Shift+O")
    page.wait_for_url(lambda url: url.endswith("/"))
    expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    page.keyboard.press("Control+K")
    expect(page.get_by_role("searchbox", name="Search conversations")).to_be_focused()
    page.keyboard.press("Control+Shift+O")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()


def test_the_focus_stays_where_a_dialog_was_opened(page: Page) -> None:
    for product in ("a tent", "a torch"):
        ask(page, "Marketing swarm", f"Announce {product}")
        wait_for_reply(page)
    conversations = page.get_by_role("navigation", name="Conversations")
    tent = conversations.get_by_role("button", name="Actions for Announce a tent")

    def choose(item: str, actions: Locator) -> None:
        actions.press("Enter")
        page.get_by_role("menuitem", name=item).press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()

    for key in ("Escape", "Enter"):
        choose("Rename", tent)
        expect(page.get_by_label("Title")).to_be_focused()
        page.keyboard.press(key)
        expect(tent).to_be_focused()
    choose("Delete", tent)
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(tent).to_be_focused()

    choose("Delete", tent)
    page.get_by_role("button", name="Delete").press("Enter")
    expect(tent).to_be_hidden()
    expect(conversations.locator(":focus")).to_have_accessible_name(re.compile("^Actions for"))
    choose("Delete", conversations.get_by_role("button", name="Actions for Announce a torch"))
    page.get_by_role("button", name="Delete").press("Enter")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    page.wait_for_url(lambda url: url.endswith("/"))


def test_the_first_tab_stop_leads_to_the_content(page: Page) -> None:
    page.goto("/help")
    expect(page.get_by_text("Choose an agent")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_a_phone_has_the_whole_platform(open_page: OpenPage, platform: Platform) -> None:
    page = open_page(**PHONE)
    sign_in(page, platform)
    page.get_by_role("button", name="Marketing swarm").tap()
    page.get_by_role("textbox", name="Prompt").fill("Announce a pocket mirror")
    page.get_by_role("button", name="Send", exact=True).tap()
    wait_for_reply(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)

    page.get_by_role("button", name="Open the menu").tap()
    expect(page.get_by_role("dialog").get_by_role("link", name="Help")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("dialog").get_by_role("link", name="Help").tap()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_text("Choose an agent")).to_be_visible()


def test_a_finger_hits_everything_on_a_phone(open_page: OpenPage, platform: Platform) -> None:
    page = open_page(**PHONE, reduced_motion="reduce")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert_fits_fingers(page)
    sign_in(page, platform)
    approval_desk = page.get_by_role("button", name="Approval desk")
    approval_desk.tap()
    expect(approval_desk).to_have_attribute("aria-pressed", "true")
    assert_fits_fingers(page)
    page.get_by_role("textbox", name="Prompt").fill("Ms Lee, lee@example.com, asks for a receipt")
    page.get_by_role("button", name="Send", exact=True).tap()
    page.get_by_role("button", name="Edit", exact=True).tap()
    subject = page.get_by_label("Subject")
    expect(subject).to_be_visible()
    assert_fits_fingers(page)
    subject.fill("Your receipt")
    page.get_by_role("button", name="Approve with changes").tap()
    wait_for_reply(page)
    assert_fits_fingers(page)

    page.get_by_role("button", name="Open the menu").tap()
    page.get_by_role("button", name="Your account").tap()
    expect(page.get_by_role("menuitem", name="Change your password")).to_be_visible()
    assert_fits_fingers(page)
    page.get_by_role("menuitem", name="Change your password").tap()
    expect(page.get_by_label("Current password")).to_be_visible()
    assert_fits_fingers(page)
    page.get_by_role("button", name="Open the menu").tap()
    page.get_by_role("button", name="Actions for Ms Lee").first.tap()
    page.get_by_role("menuitem", name="Rename").tap()
    expect(page.get_by_label("Title")).to_be_visible()
    assert_fits_fingers(page)


def test_conversations_are_reached_at_400_percent(open_page: OpenPage, platform: Platform) -> None:
    page = open_page(viewport={"width": 320, "height": 256})
    sign_in(page, platform)
    page.get_by_role("button", name="Open the menu").click()
    conversations = page.get_by_role("dialog").get_by_role("navigation", name="Conversations")
    assert conversations.evaluate("list => list.clientHeight") > 100


def test_texts_run_in_the_direction_of_their_script(page: Page) -> None:
    ask(page, "Marketing swarm", "כוס קפה רב־פעמית")
    wait_for_reply(page)
    expect(page.get_by_role("article", name="You")).to_have_css("direction", "rtl")
    expect(page.get_by_role("textbox", name="Prompt")).to_have_css("direction", "ltr")


def test_the_colour_scheme_is_remembered(page: Page) -> None:
    html = page.locator("html")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitemcheckbox", name="Dark").click()
    expect(html).to_have_class("dark")
    page.reload()
    expect(html).to_have_class("dark")
