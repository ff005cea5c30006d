"""The agents service: runs LangGraph agents and serves them over three protocols."""

import os

# Read when LangGraph is imported: a checkpoint may then hold only types that the graph declares.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
