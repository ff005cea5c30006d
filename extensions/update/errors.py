"""The error that every command prints without a traceback."""


class PlatformError(Exception):
    """`message`: what happened; `hint`: what to do next, in one or more lines.

    `code` is the exit code for scripts: 1 the command failed, 2 its input or the surroundings do
    not allow it.
    """

    def __init__(self, message: str, hint: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
