"""Runs: executed by the runner, followed through their events, resumed after a replica is lost."""
