"""Where approved replies go."""

import structlog

from .state import Reply

log = structlog.get_logger(__name__)


async def send(reply: Reply) -> str:
    """Hand a reply over and return a receipt.

    The example only logs it: connect your mail system here.
    """
    log.info("reply approved", recipient=reply.recipient, subject=reply.subject)
    return f"The reply to {reply.recipient} was approved. No mail system is connected."
