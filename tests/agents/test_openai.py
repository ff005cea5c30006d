"""OpenAI's client gets its own errors, refusals and cancellation."""

import time
from contextlib import suppress

import httpx2
import pytest

from tests.agents.service import TOKEN, Service

BEARER = {"Authorization": f"Bearer {TOKEN}"}
MESSAGES = [{"role": "user", "content": "hello"}]


def test_openai_client_gets_its_own_errors(service: Service) -> None:
    import openai

    client = openai.OpenAI(base_url=f"{service.url}/v1", api_key=TOKEN, max_retries=0)
    assert client.models.retrieve("echo").id == "echo"
    with pytest.raises(openai.NotFoundError) as unknown:
        client.models.retrieve("nobody")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError) as stranger:
        client.with_options(api_key="wrong").models.list()
    assert stranger.value.code == "invalid_api_key"
    with pytest.raises(openai.UnprocessableEntityError, match="messages: List should have"):
        client.chat.completions.create(model="echo", messages=[])
    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(model="failing", messages=MESSAGES)
    assert failed.value.code == "RuntimeError"
    assert "swordfish" in failed.value.message


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"n": 2}, "one reply"),
        ({"response_format": {"type": "json_object"}}, "replies with text"),
        ({"tool_choice": "required"}, "cannot call tools"),
        ({"tool_choice": {"type": "function", "function": {"name": "x"}}}, "cannot call tools"),
    ],
)
def test_what_an_agent_cannot_do_is_refused(
    client: httpx2.Client, asked: dict, reason: str
) -> None:
    body = {"model": "echo", "messages": MESSAGES}
    response = client.post("/v1/chat/completions", json={**body, **asked})
    assert response.status_code == 422
    assert reason in response.json()["error"]["message"]
    harmless = {"n": 1, "response_format": {"type": "text"}, "tool_choice": "auto"}
    assert client.post("/v1/chat/completions", json={**body, **harmless}).status_code == 200


def test_a_run_ends_with_the_call_that_it_is_for(client: httpx2.Client) -> None:
    def ended() -> int:
        series = 'agent_runs_total{agent="sleeper",status="interrupted"} '
        lines = client.get("/metrics", headers=BEARER).text.splitlines()
        return sum(int(float(line.split()[1])) for line in lines if line.startswith(series))

    before = ended()
    body = {"model": "sleeper", "messages": MESSAGES}
    with suppress(httpx2.ReadTimeout):
        client.post("/v1/chat/completions", json=body, timeout=0.5)
    with client.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as response:
        next(response.iter_lines())
    give_up = time.monotonic() + 30
    while ended() < before + 2:
        assert time.monotonic() < give_up, "the runs go on"
        time.sleep(0.05)
