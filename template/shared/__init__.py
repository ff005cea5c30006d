"""Code that the API and the agents service share."""

__version__ = "0.3.0"
"""The framework's version."""
