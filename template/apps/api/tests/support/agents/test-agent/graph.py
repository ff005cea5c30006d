"""An agent that does what the prompt says: see `work`."""

import asyncio
from pathlib import Path

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt


async def work(state: MessagesState) -> MessagesState:
    """`ask TEXT` raises an interrupt, `begin PATH` begins a reply and fails once a file exists,
    `fail TEXT` fails, `log PATH` adds a line to a file, `nest TEXT` leaves the reply to a subgraph,
    and `wait PATH` replies with the content of a file as soon as it has some."""
    verb, _, rest = str(state["messages"][-1].content).partition(" ")
    if verb == "ask":
        rest = f"the decision was {interrupt({'question': rest})}"
    elif verb == "begin":
        await reply(state, "it has begun")
        while not Path(rest).exists():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.05)
        raise RuntimeError("there was a file")
    elif verb == "fail":
        raise RuntimeError(rest)
    elif verb == "log":
        with Path(rest).open("a", encoding="utf-8") as log:  # noqa: ASYNC230
            log.write("1\n")
        rest = "logged"
    elif verb == "nest":
        return MessagesState(messages=(await subgraph.ainvoke(state))["messages"])
    elif verb == "wait":
        # A file is there before its content is.
        while not (text := content(Path(rest))):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        rest = text
    return {"messages": [await reply(state, rest)]}


def content(file: Path) -> str:
    """The text of a file, empty if there is no file."""
    return file.read_text(encoding="utf-8") if file.exists() else ""


async def inner(state: MessagesState) -> MessagesState:
    """The only node of the subgraph."""
    return {"messages": [await reply(state, "from a subgraph")]}


async def reply(state: MessagesState, text: str) -> AIMessage:
    """A message that a model streams."""
    model = GenericFakeChatModel(messages=iter([AIMessage(f"Reply: {text}")]))
    return await model.ainvoke(state["messages"])


subgraph = StateGraph(MessagesState).add_node(inner).add_edge(START, "inner").compile()
graph = (
    StateGraph(MessagesState)
    .add_node("work", work)
    .add_edge(START, "work")
    .add_edge("work", END)
    .compile()
)
