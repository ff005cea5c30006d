"""Your own routes: every module here with a `router` is served under /custom."""
