"""Code that the API and the agents service share."""

__version__ = "0.4.0"
"""The framework's version."""
