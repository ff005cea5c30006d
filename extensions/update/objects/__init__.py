"""git, in bytes: commands and objects."""
