"""What an update starts from: the project, the template, its render, the ownership table."""
