"""The service's three faces: its own routes, LangGraph's server protocol, OpenAI's."""
