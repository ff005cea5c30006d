"""The result into the project, safe against a kill at any moment."""
