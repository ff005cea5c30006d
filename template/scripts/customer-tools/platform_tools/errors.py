"""The error that commands report without a traceback."""


class PlatformError(Exception):
    """What happened, what to do next (`hint`, one or more lines) and the exit code.

    Exit codes: 1 the work failed, 2 the input or this machine does not allow it. A command
    documents further codes in its help.
    """

    def __init__(self, message: str, hint: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
