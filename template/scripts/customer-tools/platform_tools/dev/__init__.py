"""`platform dev`: every service of the project, natively, with hot reload, in one terminal."""
