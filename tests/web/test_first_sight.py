"""What a user sees first: the logo, a platform that is still starting, many agents."""

from playwright.sync_api import Page, Route, expect

from tests.support.browser import OpenPage, sign_in
from tests.support.platform import Platform


def test_a_logo_of_the_customer_replaces_the_initial(page: Page, platform: Platform) -> None:
    logo = platform.root / "apps/web/src/Logo.vue"
    logo.write_text('<template><svg role="img" aria-label="Our logo" /></template>\n')
    try:
        while not page.get_by_label("Our logo").is_visible():
            page.reload()
            expect(page.get_by_role("textbox", name="Prompt")).to_be_visible()
    finally:
        logo.unlink()


def test_a_page_says_that_it_waits_for_the_platform(
    open_page: OpenPage, platform: Platform
) -> None:
    page = open_page()
    waiting: list[Route] = []
    page.route("**/api/auth/me", lambda route: waiting.append(route))
    page.goto("/")
    expect(page.get_by_text("Waiting for the platform")).to_be_visible()
    for route in waiting:
        route.continue_()
    sign_in(page, platform)
    expect(page.get_by_text("Waiting for the platform")).to_be_hidden()


def test_a_first_visit_does_not_load_each_file_of_the_packages(
    open_page: OpenPage, platform: Platform
) -> None:
    page = open_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.reload()
    sign_in(page, platform)
    expect(page.get_by_role("button", name="Marketing swarm")).to_be_visible()
    assert len(requests) < 250, requests


def show_agents(page: Page, groups: list[str]) -> None:
    """Open the page with agents of these groups."""
    agents = [
        {"name": f"a{n}", "title": f"Agent {n}", "description": "", "icon": None, "error": None}
        | {"group": group}
        for n, group in enumerate(groups)
    ]
    page.route("**/api/agents", lambda route: route.fulfill(json=agents))
    page.reload()


def test_agents_are_listed_by_group(page: Page) -> None:
    expect(page.get_by_role("heading", name="More agents")).to_be_hidden()
    show_agents(page, ["Service", "", "Sales", "Service"])
    choice = page.get_by_role("group", name="Agents")
    expect(choice.get_by_role("heading")).to_have_text(["Sales", "Service", "More agents"])
    names = ["Agent 2", "Agent 0", "Agent 3", "Agent 1"]
    expect(choice.get_by_role("button")).to_have_text(names)


def test_many_agents_are_searched(page: Page) -> None:
    expect(page.get_by_role("searchbox", name="Search agents")).to_be_hidden()
    show_agents(page, [""] * 9)
    page.get_by_role("searchbox", name="Search agents").fill("agent 7")
    choice = page.get_by_role("group", name="Agents").get_by_role("button")
    expect(choice).to_have_text(["Agent 7"])
    page.get_by_role("searchbox", name="Search agents").fill("none")
    expect(page.get_by_text("No agent is about “none”.")).to_be_visible()


def test_the_accounts_button_is_named_as_it_reads(page: Page, platform: Platform) -> None:
    account = page.get_by_role("button", name="Your account")
    expect(account).to_have_accessible_name(f"Your account: {platform.email} Admin")
