"""Threads, runs, their event logs and their checkpoints, in SQLite or PostgreSQL."""
