"""The service's three protocols: native, LangGraph's server protocol, and OpenAI's."""
