"""The pages keep to their policy, in development (as in all tests here) and as built."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import OpenPage, ask, sign_in, wait_for_reply
from tests.support.platform import Platform
from tests.support.ports import free_ports
from tests.support.waiting import wait_for

MARKDOWN = """

# Heading

| a | b |
|---|---|
| 1 | **2** |

```python
print("code")
```

<b style="color: red" onclick="alert(1)">raw</b> <script>alert(1)</script>
![picture](https://evil.example/picture.png) [link](https://evil.example)
"""


@pytest.fixture(scope="module")
def built(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the built site."""
    web = platform.root / "apps/web"
    tools = f"{platform.root / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": tools}
    done = subprocess.run(
        ["npm", "run", "--silent", "build"],
        cwd=web,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    port = free_ports(1)[0]
    address = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("preview") / "log"
    command = ["node_modules/.bin/vite", "preview", "--strictPort", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1"],
            cwd=web,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(lambda: responds(address), process, log)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def responds(address: str) -> bool:
    try:
        return httpx2.get(address).is_success
    except httpx2.TransportError:
        return False


def visit_everything(page: Page, platform: Platform, reply: Path) -> None:
    """Open each page, dialog and kind of message; the test agent waits for the file `reply`."""
    sign_in(page, platform)
    ask(page, "Approval desk", "Mr Wood, wood@example.com, asks for a catalogue")
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("link", name="New conversation").click()
    ask(page, "Test agent", f"wait {reply}")
    expect(page.get_by_role("button", name="Stop the reply")).to_be_visible()
    reply.with_suffix(".new").write_text(MARKDOWN)
    reply.with_suffix(".new").replace(reply)
    wait_for_reply(page)
    expect(page.get_by_role("article", name="Agent").get_by_role("table")).to_be_visible()
    page.get_by_role("button", name="Copy the reply").click()
    page.get_by_role("button", name="Actions for wait").first.click()
    page.get_by_role("menuitem", name="Rename").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    for scheme in ("Dark", "Light"):
        page.get_by_role("button", name="Your account").click()
        page.get_by_role("menuitemcheckbox", name=scheme).click()
        page.keyboard.press("Escape")
        page.reload()
        wait_for_reply(page)
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    for path, text in {
        "/help": "Choose an agent",
        "/account/password": "Current password",
        "/nowhere": "There is no page",
    }.items():
        page.goto(path)
        expect(page.get_by_text(text)).to_be_visible()


@pytest.mark.usefixtures("waiting_agent")
@pytest.mark.parametrize("site", ["development", "built"])
def test_no_page_violates_the_policy(
    request: pytest.FixtureRequest,
    open_page: OpenPage,
    platform: Platform,
    tmp_path: Path,
    site: str,
) -> None:
    address = platform.web if site == "development" else request.getfixturevalue("built")
    headers = httpx2.get(address).headers
    scripts = "'self' 'unsafe-eval'" if site == "development" else "'self'"
    assert f"default-src 'none'; script-src {scripts};" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    # The fixture of the page asserts that nothing is violated.
    visit_everything(open_page(base_url=address), platform, tmp_path / "reply")


def test_an_icon_that_is_newer_than_the_build_comes_from_this_server(
    open_page: OpenPage, platform: Platform, built: str
) -> None:
    all_icons = platform.root / "apps/web/node_modules/@iconify-json/lucide/icons.json"
    body = json.loads(all_icons.read_text())["icons"]["sailboat"]["body"]
    [line, *_] = re.findall(r' d="([^"]+)"', body)
    page = open_page(base_url=built)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    sign_in(page, platform)
    expect(page.get_by_role("button", name="Marketing swarm")).to_be_visible()
    # Not needed for the icons that the build knows.
    assert not any("/assets/lucide-" in url for url in requested)

    def change_icon(route: Route) -> None:
        response = route.fetch()
        agents = response.json()
        agents[0]["icon"] = "sailboat"
        route.fulfill(response=response, json=agents)

    page.route("**/api/agents", change_icon)
    page.reload()
    expect(page.locator(f'path[d="{line}"]')).to_be_attached()
    assert any("/assets/lucide-" in url for url in requested)
    assert all(url.startswith((built, "data:")) for url in requested)


def test_what_the_policy_forbids_does_not_run(browser: Browser, platform: Platform) -> None:
    with closing(browser.new_context(base_url=platform.web)) as context:
        page = context.new_page()
        page.goto("/")
        violated = page.evaluate(
            """() => new Promise((resolve) => {
                document.addEventListener('securitypolicyviolation', (event) =>
                    resolve(event.effectiveDirective))
                const script = document.createElement('script')
                script.textContent = 'window.ran = true'
                document.body.append(script)
            })"""
        )
        assert violated == "script-src-elem"
        assert page.evaluate("window.ran") is None
