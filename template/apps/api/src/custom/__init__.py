"""Your routes: the `router` of every module here is served under /custom.

What a route usually imports:

    from apps.api.src.core.accounts.sessions import CurrentUser, require_role
    from apps.api.src.core.database import DbSession
    from apps.api.src.core.platform.problems import problems
"""
