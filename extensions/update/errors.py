"""The error that every command reports without a traceback."""


class PlatformError(Exception):
    """What happened, what to do next, and the exit code for scripts.

    `hint` is one or more lines the user can act on. Exit codes: 1 the work failed, 2 the input or
    the surroundings do not allow it. Commands may add codes of their own and document them.
    """

    def __init__(self, message: str, hint: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
