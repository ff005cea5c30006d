"""The LangGraph server's v1 protocol, for `langgraph-sdk`, `RemoteGraph` and the JavaScript SDK."""
