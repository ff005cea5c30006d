"""The `platform` command of this project."""
