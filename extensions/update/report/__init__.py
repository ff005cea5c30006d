"""The plan of an update, and its report."""
