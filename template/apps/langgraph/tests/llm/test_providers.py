"""The language model of an agent, and the cost of its calls."""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableWithFallbacks

from apps.langgraph.src.core.llm.offline import OfflineChatModel
from apps.langgraph.src.core.llm.providers import get_llm
from apps.langgraph.src.core.llm.usage import UsageRecorder
from shared.settings import Model, Price, get_settings


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """The `graph.py` of an agent."""
    (tmp_path / "graph.py").touch()
    return tmp_path / "graph.py"


@pytest.fixture(autouse=True)
def platform(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the platform's model."""

    def use(**values: Any) -> None:
        monkeypatch.setattr(get_settings(), "model", Model.model_validate(values))

    use()
    return use


def describe(model: Any) -> tuple[str, str]:
    return type(model).__name__, getattr(model, "model_name", "") or getattr(model, "model", "")


def test_platform_decides(agent: Path, platform: Any) -> None:
    platform(provider="openai-compatible", base_url="http://127.0.0.1:1/v1", name="local")
    assert describe(get_llm(agent)) == ("ChatOpenAI", "local")


def test_agent_decides_for_itself(agent: Path, platform: Any) -> None:
    platform(provider="openai-compatible", base_url="http://127.0.0.1:1/v1", name="local")
    (agent.parent / "agent.toml").write_text('[model]\nprovider = "ollama"\nname = "tiny"\n')
    model: Any = get_llm(agent)
    assert describe(model) == ("ChatOllama", "tiny")
    assert model.base_url is None


async def test_ollama_that_starts_is_waited_for(agent: Path, platform: Any) -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"message": {"role": "assistant", "content": "hi"}, "done": true}\n'
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    platform(provider="ollama", base_url=f"http://127.0.0.1:{port}", max_retries=3)
    asked = asyncio.create_task(get_llm(agent).ainvoke("hello"))
    await asyncio.sleep(0.2)
    async with await asyncio.start_server(respond, "127.0.0.1", port):
        assert (await asked).text == "hi"


def test_offline_model_imports_no_provider(agent: Path) -> None:
    for name in [name for name in sys.modules if name.startswith("langchain_anthropic")]:
        del sys.modules[name]
    assert isinstance(get_llm(agent), OfflineChatModel)
    assert "langchain_anthropic" not in sys.modules


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"provider": "openai"}, "OPENAI_API_KEY is not set"),
        ({"provider": "anthropic"}, "ANTHROPIC_API_KEY is not set"),
        ({"provider": "openai-compatible", "base_url": "http://127.0.0.1:1"}, "MODEL__NAME"),
    ],
)
def test_error_names_the_setting(
    agent: Path, platform: Any, values: dict[str, str], error: str
) -> None:
    platform(**values)
    with pytest.raises(ValueError, match=error):
        get_llm(agent)


async def test_fallback_replies_when_the_model_fails(agent: Path, platform: Any) -> None:
    platform(
        provider="openai-compatible",
        base_url="http://127.0.0.1:1/v1",
        name="down",
        max_retries=0,
        fallbacks=[{"provider": "offline"}],
    )
    model: Any = get_llm(agent)
    assert isinstance(model, RunnableWithFallbacks)
    assert "demo model" in (await model.ainvoke("Hello")).text
    assert (await model.bind_tools([], tool_choice=None).ainvoke("Hello")).text


def test_a_limit_of_cost_needs_the_price_of_every_model(agent: Path, platform: Any) -> None:
    spare = {"provider": "ollama", "name": "spare"}
    platform(provider="openai-compatible", base_url="http://x", name="own", fallbacks=[spare])
    priced = "[limits]\nmax_cost = 1\n[model.prices.own]\ninput = 1\noutput = 1\n"
    (agent.parent / "agent.toml").write_text(priced)
    with pytest.raises(ValueError, match="of every model, and spare has none"):
        get_llm(agent)
    spare_price = "[model.prices.spare]\ninput = 0\noutput = 0\n"
    (agent.parent / "agent.toml").write_text(priced + spare_price)
    assert get_llm(agent)


def test_cost_of_a_model_with_a_price() -> None:
    usage = {"input_tokens": 1_000_000, "output_tokens": 500_000, "total_tokens": 1_500_000}
    message = AIMessage("hi", usage_metadata=usage)
    recorder = UsageRecorder({"priced": Price(input=2, output=10)})

    class Priced(GenericFakeChatModel):
        model_name: str = "priced"

    Priced(messages=iter([message])).invoke("hi", {"callbacks": [recorder]})
    used = recorder.by_model["priced"]
    assert (used.calls, used.cost) == (1, pytest.approx(7))


def test_cost_without_a_price_is_unknown() -> None:
    recorder = UsageRecorder({})
    FakeListChatModel(responses=["hi"]).invoke("hi", {"callbacks": [recorder]})
    OfflineChatModel().invoke("hi", {"callbacks": [recorder]})
    costs = {model: used.cost for model, used in recorder.by_model.items()}
    assert costs == {"unknown": None, "offline": 0}
