"""Text of others, such as of a request, on a terminal."""

import re

# They move the cursor, change the terminal or the direction of text, or cannot be written.
CONTROLS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escape_text(text: str) -> str:
    """Show the control characters of a text, including ends of lines, as `\\x1b`."""
    return CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)
