"""git: its commands, and its objects in bytes."""
