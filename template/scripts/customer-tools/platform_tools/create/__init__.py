"""What creates: agents, and `.env` with its secrets."""
