"""Code that the API and the agents service share."""
