"""What starts: `platform dev`, and the processes that it runs."""
