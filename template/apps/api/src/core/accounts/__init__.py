"""Accounts: passwords, sessions, roles, and their administration from the command line."""
