"""Three trees to one: zones, line endings, lines, structures."""
