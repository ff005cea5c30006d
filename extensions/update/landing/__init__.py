"""Lands the result in the project, safe against a kill at any moment."""
