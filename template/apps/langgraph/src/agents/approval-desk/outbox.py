"""Sends approved e-mails."""

import structlog

from .state import Email

log = structlog.get_logger(__name__)


async def send(email: Email) -> str:
    """Send an e-mail and return a receipt.

    The example only logs it: connect your mail system here.
    """
    log.info("e-mail approved", recipient=email.recipient, subject=email.subject)
    return f"The e-mail to {email.recipient} was approved. No mail system is connected."
