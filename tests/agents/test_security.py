"""Requests need the service token, and users see only their data."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from tests.agents.service import PATIENCE, PYTHON, TEMPLATE, TOKEN, Service, running

BEARER = {"Authorization": f"Bearer {TOKEN}"}
PRIVATE = [
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("POST", "/assistants/search"),
    ("POST", "/threads"),
    ("POST", "/runs/wait"),
    ("POST", "/echo/generate"),
    ("GET", f"/echo/status/{UUID(int=1)}"),
    ("GET", "/v1/models"),
]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service in production with tight limits."""
    with running(
        tmp_path_factory.mktemp("production"),
        ENVIRONMENT="production",
        AGENTS__MAX_BODY_BYTES=2000,
        AGENTS__RATE_LIMIT="5/day",
    ) as service:
        yield service


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_production_always_needs_the_token(production: Service, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-Api-Key": TOKEN[:-1]}):
        response = httpx2.request(method, production.url + path, headers=headers)
        assert response.status_code == 401


@pytest.mark.parametrize(
    ("name", "value"), [("SERVICE_TOKEN", "change-me" * 8), ("AGENTS__RATE_LIMIT", "fast")]
)
def test_a_wrong_setting_ends_the_start_with_one_line(
    tmp_path: Path, name: str, value: str
) -> None:
    service = Service(tmp_path, **{"ENVIRONMENT": "production", name: value})
    command = [PYTHON, "-c", "import apps.langgraph.src.core.app"]
    start = subprocess.run(
        command, cwd=TEMPLATE, env=service.env, capture_output=True, text=True, timeout=PATIENCE
    )
    assert start.returncode == 1
    assert (start.stderr.count("\n"), name in start.stderr) == (1, True)


@pytest.mark.parametrize("path", ["/ok", "/info", "/health", "/ready"])
def test_public_routes(production: Service, path: str) -> None:
    assert httpx2.get(production.url + path).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"X-Api-Key": "x"}])
def test_readiness_has_details_for_the_token_only(
    production: Service, headers: dict[str, str]
) -> None:
    url = f"{production.url}/ready"
    assert httpx2.get(url, headers=headers).json() == {"status": "ready"}
    assert "broken" in httpx2.get(url, headers=BEARER).json()["agents_failing"]


@pytest.mark.parametrize("path", ["/ok", "/metrics", "/nowhere", "/v1/models"])
def test_responses_are_neither_shown_nor_kept_by_browsers(client: httpx2.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/threads/search/", "/v1/models/", "/ok/"])
def test_no_redirect_leads_to_the_host_that_a_request_names(
    client: httpx2.Client, path: str
) -> None:
    headers = {**BEARER, "Host": "evil.example"}
    response = client.get(path, headers=headers, follow_redirects=False)
    assert response.status_code in (404, 405)
    assert "location" not in response.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "[::1"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Authorization": "Basic eDp5"},
    ],
)
def test_development_needs_no_token_only_for_local_programs(
    client: httpx2.Client, headers: dict[str, str]
) -> None:
    assert client.get("/v1/models").status_code == 200
    assert client.get("/v1/models", headers=headers).status_code == 401
    assert client.get("/v1/models", headers={**headers, **BEARER}).status_code == 200


def test_threads_belong_to_their_user(client: httpx2.Client) -> None:
    anna, ben = ({**BEARER, "X-Platform-User": name} for name in ("anna", "ben"))
    made = client.post("/echo/generate", json={"prompt": "secret"}, headers=anna).json()
    place = f"/threads/{made['thread_id']}"
    for path in (place, f"{place}/state", f"{place}/runs", f"{place}/runs/{made['run_id']}"):
        assert client.get(path, headers=anna).status_code == 200
        assert client.get(path, headers=ben).status_code == 404
    stolen = {"assistant_id": "echo", "input": {"messages": []}, "if_not_exists": "create"}
    assert client.post(f"{place}/runs/wait", json=stolen, headers=ben).status_code == 404
    assert client.delete(place, headers=ben).status_code == 404
    assert made["thread_id"] not in client.post("/threads/search", json={}, headers=ben).text


@pytest.mark.parametrize("strategy", ["reject", "enqueue", "interrupt", "rollback"])
def test_nobody_ends_another_user_s_run(client: httpx2.Client, strategy: str) -> None:
    anna, ben = ({**BEARER, "X-Platform-User": name} for name in ("anna", "ben"))
    body = {"assistant_id": "sleeper", "input": {"messages": []}}
    run = client.post("/runs", json=body, headers=anna).json()
    place = f"/threads/{run['thread_id']}/runs"
    body |= {"multitask_strategy": strategy, "if_not_exists": "create"}
    assert client.post(place, json=body, headers=ben).status_code == 404
    own = f"{place}/{run['run_id']}"
    assert client.post(f"{own}/cancel?wait=true", headers=ben).status_code == 404
    assert client.get(own, headers=anna).json()["status"] == "running"
    assert client.post(f"{own}/cancel?wait=true", headers=anna).status_code == 204


def test_roles_say_who_may_use_an_agent(client: httpx2.Client) -> None:
    clerk = {**BEARER, "X-Platform-User": "anna", "X-Platform-Roles": "sales, finance"}
    guest = {**BEARER, "X-Platform-User": "ben"}
    prompt = {"prompt": "x"}
    assert client.post("/restricted/generate", json=prompt, headers=clerk).status_code == 200
    assert client.post("/restricted/generate", json=prompt, headers=guest).status_code == 403
    assert "restricted" not in client.get("/v1/models", headers=guest).text


def test_roles_say_who_may_use_an_agent_s_states(client: httpx2.Client) -> None:
    ben = {**BEARER, "X-Platform-User": "ben"}
    labels = {"metadata": {"graph_id": "restricted"}}
    place = client.post("/threads", json=labels, headers=ben).json()["thread_id"]
    body = {"values": {"messages": [{"role": "user", "content": "x"}]}}
    refused = client.post(f"/threads/{place}/state", json=body, headers=ben)
    assert refused.status_code == 403
    clerk = {**ben, "X-Platform-Roles": "finance"}
    assert client.post(f"/threads/{place}/state", json=body, headers=clerk).status_code == 200
    for path in ("state", "history"):
        assert client.get(f"/threads/{place}/{path}", headers=ben).status_code == 403
        assert client.get(f"/threads/{place}/{path}", headers=clerk).status_code == 200
    assert client.get(f"/threads/{place}", headers=ben).json()["values"] is None
    assert client.get(f"/threads/{place}", headers=clerk).json()["values"]["messages"]


def test_an_agent_is_handed_over_to_only_for_its_roles(client: httpx2.Client) -> None:
    ben = {**BEARER, "X-Platform-User": "ben"}
    finance = {**BEARER, "X-Platform-User": "anna", "X-Platform-Roles": "finance"}
    body = {
        "assistant_id": "reception",
        "input": {"messages": "x"},
        "config": {"configurable": {"roles": ["finance"]}},
    }
    for headers, reply in ((finance, "echo: x"), (ben, "The user may not use restricted")):
        values = client.post("/runs/wait", json=body, headers=headers).json()
        assert values["messages"][-1]["content"].startswith(reply)
        said = client.post("/reception/generate", json={"prompt": "x"}, headers=headers).json()
        assert said["output"].startswith(reply)
        completion = {"model": "reception", "messages": [{"role": "user", "content": "x"}]}
        said = client.post("/v1/chat/completions", json=completion, headers=headers).json()
        assert said["choices"][0]["message"]["content"].startswith(reply)


def test_a_client_cannot_decide_what_is_the_service_s(client: httpx2.Client) -> None:
    other = client.post("/threads", json={}).json()["thread_id"]
    config = {"configurable": {"thread_id": other, "user_id": "root", "__pregel_resuming": True}}
    body = {"assistant_id": "echo", "input": {"messages": "x"}, "config": config}
    assert client.post("/runs/wait", json=body).status_code == 200
    assert client.get(f"/threads/{other}/state").json()["values"] == {}


def test_production_shows_no_internals(production: Service) -> None:
    failed = httpx2.post(f"{production.url}/failing/generate", json={"prompt": "x"}, headers=BEARER)
    broken = httpx2.post(f"{production.url}/broken/generate", json={"prompt": "x"}, headers=BEARER)
    assert failed.status_code == 500
    assert failed.json()["run_id"] in failed.json()["detail"]
    assert "swordfish" not in failed.text
    assert broken.status_code == 503
    assert "not today" not in broken.text


def test_production_shows_no_internals_of_a_state(production: Service) -> None:
    with httpx2.Client(base_url=production.url, headers=BEARER) as client:
        labels = {"metadata": {"graph_id": "picky"}}
        place = f"/threads/{client.post('/threads', json=labels).json()['thread_id']}/state"
        refused = client.post(place, json={"values": {"number": 1}})
        unknown = client.post(place, json={"values": {"number": 0}, "as_node": "nobody"})
    assert (refused.status_code, unknown.status_code) == (400, 400)
    assert "swordfish" not in refused.text
    assert "nobody" in unknown.text


def test_a_body_beyond_the_limit_is_refused(production: Service) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"prompt": "' + b"x" * 3000 + b'"}'

    problem = "The request is larger than 2,000 bytes."
    for path, place in (("/echo/generate", "detail"), ("/v1/chat/completions", "error")):
        for content in (b"x" * 3000, chunks()):
            response = httpx2.post(f"{production.url}{path}", content=content, headers=BEARER)
            assert response.status_code == 413
            said = response.json()[place]
            assert (said if place == "detail" else said["message"]) == problem


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/threads/of/nobody", b"", 404),
        ("PUT", "/threads/search", b"", 405),
        ("POST", "/threads/search", b"\xff", 422),
        ("POST", "/threads/search", b'{"limit": 0}', 422),
    ],
)
def test_every_error_has_the_same_form(
    client: httpx2.Client, method: str, path: str, content: bytes, status: int
) -> None:
    response = client.request(method, path, content=content)
    assert response.status_code == status
    detail = response.json()["detail"]
    if status == 422:
        assert [problem.keys() for problem in detail] == [{"loc", "msg", "type"}]
    else:
        assert isinstance(detail, str)


def test_a_user_may_start_so_many_runs(production: Service) -> None:
    headers = {**BEARER, "X-Platform-User": "busy"}
    responses = [
        httpx2.post(f"{production.url}/echo/generate", json={"prompt": "x"}, headers=headers)
        for _ in range(6)
    ]
    assert [response.status_code for response in responses] == [200] * 5 + [429]
    assert int(responses[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("agent", "content"),
    [
        ("echo", b'{"prompt": "\\ud800"}'),
        ("echo", b'{"prompt": "\\\\\\u0000"}'),
        ("counter", b'{"input": {"to": NaN}}'),
        ("echo", b"{"),
        ("echo", b'{"input": {"messages": [], "deep": %s}}' % (b"[" * 300 + b"]" * 300)),
    ],
)
def test_what_is_not_strict_json_is_refused(
    client: httpx2.Client, agent: str, content: bytes
) -> None:
    response = client.post(
        f"/{agent}/generate", content=content, headers={"content-type": "application/json"}
    )
    assert response.status_code == 422
