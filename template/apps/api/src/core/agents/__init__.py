"""The agents that users may talk to, and the connection to the agents service."""
