"""An agent: its graph and the settings in its `agent.toml`."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END
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

from apps.langgraph.src.core.agents.context import build_context
from apps.langgraph.src.core.agents.json_schemas import describe
from shared.settings import Mcp, ModelChoice, Price, Provider

# Nodes that LangChain's middleware adds after a model.
MIDDLEWARE = re.compile(r"\.after_(agent|model)$")


@dataclass(frozen=True)
class Limits:
    """Limits of one run; None means the platform's default."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    timeout_seconds: PositiveFloat | None = None
    max_steps: PositiveInt | None = None
    max_cost: PositiveFloat | None = None
    """In the currency of the configured prices."""


class AgentModel(BaseModel):
    """The agent's changes to the platform's language model; None changes nothing."""

    model_config = ConfigDict(extra="forbid")

    provider: Provider | None = None
    name: str | None = None
    base_url: str | None = None
    timeout_seconds: PositiveFloat | None = None
    max_retries: NonNegativeInt | None = None
    fallbacks: list[ModelChoice] | None = None
    prices: dict[str, Price] = {}


class AgentMcp(Mcp):
    """MCP servers of one agent: `servers`, and those of `platform.toml` named in `use`."""

    use: list[str] = Field(default=[])


class AgentDefinition(BaseModel):
    """The content of `agent.toml`; every value is optional."""

    model_config = ConfigDict(extra="forbid")

    title: str = ""
    description: str = ""
    icon: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = "bot"
    """A Lucide icon."""
    group: str = ""
    """The heading under which the web lists the agent."""
    roles: list[str] = []
    """Roles that may use the agent; empty means everyone."""
    model: AgentModel = AgentModel()
    limits: Limits = Limits()
    mcp: AgentMcp = AgentMcp()


@dataclass(frozen=True)
class Agent:
    """One loaded version of an agent."""

    name: str
    folder: Path
    definition: AgentDefinition
    graph: CompiledStateGraph[Any, Any, Any, Any]
    """Without a checkpointer: the runner attaches one to a copy."""
    prices: Mapping[str, Price]
    """By model name; prices in `agent.toml` override those in `platform.toml`."""
    version: str
    """Hash of the folder's sources."""

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """JSON schema of the graph's input, derived from its types."""
        return describe(self.graph.get_input_jsonschema, self.graph.builder.input_schema)

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """JSON schema of the graph's output, derived from its types."""
        return describe(self.graph.get_output_jsonschema, self.graph.builder.output_schema)

    @cached_property
    def context_schema(self) -> dict[str, Any]:
        """JSON schema of the run's context; empty if the graph has none."""
        return describe(self.graph.get_context_jsonschema, self.graph.context_schema)

    @cached_property
    def input_validator(self) -> Draft202012Validator:
        """Validates inputs, except messages: LangChain converts them from many forms."""
        properties = dict(self.input_schema.get("properties", {}))
        if "messages" in properties:
            properties["messages"] = {}
        return Draft202012Validator({**self.input_schema, "properties": properties})

    @cached_property
    def last_nodes(self) -> frozenset[str]:
        """The nodes after which the graph may end, but for hooks of LangChain's middleware."""
        edges = self.graph.get_graph().edges
        found: set[str] = set()
        ends = {END}
        while ends:
            sources = {edge.source for edge in edges if edge.target in ends} - found
            found |= sources
            ends = {name for name in sources if MIDDLEWARE.search(name)}
        return frozenset(found)

    def allows(self, roles: Collection[str] | None) -> bool:
        """Whether a user with these roles may use the agent; None means every role."""
        allowed = self.definition.roles
        return not allowed or roles is None or not set(roles).isdisjoint(allowed)

    def context_for(self, sent: Mapping[str, Any] | None) -> Any:
        """The run's context, with the schema's defaults. Raises `ValueError` if `sent` is wrong."""
        return build_context(self.graph.context_schema, self.context_schema, sent)

    def input_for(self, prompt: str) -> dict[str, Any]:
        """The graph's input for a prompt: its field `prompt`, or else a human message.

        Raises `ValueError` if the graph's input has neither `prompt` nor `messages`.
        """
        fields = self.input_schema.get("properties", {})
        if "prompt" in fields:
            return {"prompt": prompt}
        if fields and "messages" not in fields:
            raise ValueError(
                f"{self.name} takes no prompt: its input has neither `messages` nor `prompt`, "
                f"but {', '.join(fields)}"
            )
        return {"messages": [HumanMessage(prompt)]}

    @staticmethod
    def reply(state: Mapping[str, Any]) -> str:
        """The text of the newest AI message in a state; empty if there is none."""
        for message in reversed(state.get("messages") or []):
            if isinstance(message, AIMessage) and message.text:
                return str(message.text)
        return ""


def agent_folder(anchor: str | Path) -> Path:
    """The folder of the agent that contains the file `anchor` (usually `__file__`).

    Raises `ValueError` if the file is not part of an agent.
    """
    path = Path(anchor).resolve()
    for folder in path.parents:
        if (folder / "graph.py").is_file():
            return folder
    raise ValueError(f"{path} is not part of an agent: no folder above it contains a graph.py")


def read_definition(folder: Path) -> AgentDefinition:
    """The definition of the agent in `folder`; all defaults if it has no `agent.toml`.

    Raises `ValueError` with the file and each invalid value.
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
            + ("unknown setting" if detail["type"] == "extra_forbidden" else detail["msg"])
            for detail in error.errors()
        )
        raise ValueError(f"{file.name}: {details}") from None
    title = definition.title or re.sub("[-_]", " ", folder.name).capitalize()
    return definition.model_copy(update={"title": title})
