"""What all features stand on: problems, health, limits, access log, pages, your own routes."""
