"""Authentication of callers, and limits of their requests."""
