"""Agents: found by folder, loaded by path, reloaded on save."""
