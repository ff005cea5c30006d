"""What an agent is: its graph, and what `agent.toml` says about it."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph.state import CompiledStateGraph
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)
from pydantic.errors import PydanticInvalidForJsonSchema

from shared.settings import Mcp, ModelChoice, Price, Provider


@dataclass(frozen=True)
class Limits:
    """What one run may use; None leaves it to the platform's default."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    timeout_seconds: PositiveFloat | None = None
    max_steps: PositiveInt | None = None
    max_cost: PositiveFloat | None = None
    """In the currency of the configured prices."""


class AgentModel(BaseModel):
    """What an agent changes of the platform's model; None leaves it as it is."""

    model_config = ConfigDict(extra="forbid")

    provider: Provider | None = None
    name: str | None = None
    base_url: str | None = None
    timeout_seconds: PositiveFloat | None = None
    max_retries: NonNegativeInt | None = None
    fallbacks: list[ModelChoice] | None = None
    prices: dict[str, Price] = {}


class AgentMcp(Mcp):
    """MCP servers of one agent: its own, and those of `platform.toml` that it uses."""

    use: list[str] = Field(default=[])


class AgentDefinition(BaseModel):
    """The content of `agent.toml`; every value is optional."""

    model_config = ConfigDict(extra="forbid")

    title: str = ""
    description: str = ""
    icon: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = "bot"
    """A Lucide icon."""
    roles: list[str] = []
    """Who may use the agent; empty means everyone."""
    model: AgentModel = AgentModel()
    limits: Limits = Limits()
    mcp: AgentMcp = AgentMcp()


@dataclass(frozen=True)
class Agent:
    """One loaded version of an agent."""

    name: str
    folder: Path
    title: str
    description: str
    icon: str
    roles: tuple[str, ...]
    graph: CompiledStateGraph[Any, Any, Any, Any]
    """Without a checkpointer: the run engine attaches its own to a copy."""
    limits: Limits
    version: str
    """Hash of the folder's sources."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """By model name: the platform's prices, then the agent's own."""

    def input_schema(self) -> dict[str, Any]:
        """JSON schema of what the graph takes, derived from its types."""
        return _json_schema(self.graph.get_input_jsonschema)

    def output_schema(self) -> dict[str, Any]:
        """JSON schema of what the graph returns, derived from its types."""
        return _json_schema(self.graph.get_output_jsonschema)

    def is_for(self, roles: Collection[str] | None) -> bool:
        """Whether somebody with these roles may use the agent; None means every role."""
        return not self.roles or roles is None or not set(roles).isdisjoint(self.roles)

    def input_for(self, prompt: str) -> dict[str, Any]:
        """The graph's input for one line of text.

        It is the field `prompt` where the input has one, otherwise a human message. Raises
        `ValueError` when the graph takes neither.
        """
        fields = self.input_schema().get("properties", {})
        if "prompt" in fields:
            return {"prompt": prompt}
        if fields and "messages" not in fields:
            raise ValueError(
                f"{self.name} takes no prompt: its state has neither `messages` nor `prompt`, "
                f"but {', '.join(fields)}"
            )
        return {"messages": [HumanMessage(prompt)]}

    @staticmethod
    def answer(state: Mapping[str, Any]) -> str:
        """The text of the last message of the model in a state; empty if there is none."""
        for message in reversed(state.get("messages") or []):
            if isinstance(message, AIMessage) and message.text:
                return str(message.text)
        return ""


def agent_folder(anchor: str | Path) -> Path:
    """The folder of the agent to which the file `anchor` (usually `__file__`) belongs."""
    path = Path(anchor).resolve()
    for folder in path.parents:
        if (folder / "graph.py").is_file():
            return folder
    raise ValueError(f"{path} is not in an agent's folder: no graph.py in it or above it")


def read_definition(folder: Path) -> AgentDefinition:
    """The definition of the agent in `folder`; all defaults if it has no `agent.toml`.

    Raises `ValueError` that names the file and each value to mend.
    """
    file = folder / "agent.toml"
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        values = {}
    except (OSError, ValueError) as error:
        raise ValueError(f"{file.name}: {error}") from None
    try:
        definition = AgentDefinition.model_validate(values)
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(map(str, detail['loc']))}: "
            + ("there is no such value" if detail["type"] == "extra_forbidden" else detail["msg"])
            for detail in error.errors()
        )
        raise ValueError(f"{file.name}: {details}") from None
    title = definition.title or re.sub("[-_]", " ", folder.name).capitalize()
    return definition.model_copy(update={"title": title})


def _json_schema(derive: Any) -> dict[str, Any]:
    try:
        schema: dict[str, Any] = derive()
    except PydanticInvalidForJsonSchema:
        # A state may hold what JSON cannot express, a function for example.
        return {"type": "object"}
    return schema
