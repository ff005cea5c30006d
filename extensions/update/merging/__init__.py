"""Merges three trees to one: by zones, line endings, lines and structure."""
