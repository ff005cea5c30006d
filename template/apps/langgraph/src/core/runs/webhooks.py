"""Webhooks of finished runs, signed by the Standard Webhooks specification.

They are only sent to hosts in the setting AGENTS__WEBHOOK_HOSTS. A failed delivery is repeated,
also after a restart, with the same `webhook-id`.
"""

import asyncio
import base64
import hashlib
import hmac
import time

import httpx
import structlog

from apps.langgraph.src.core.runs.encoding import dumps
from apps.langgraph.src.core.storage.records import Run
from apps.langgraph.src.core.storage.webhooks import Webhooks
from shared.settings import Agents

logger = structlog.get_logger(__name__)

BATCH = 10
# Seconds for one delivery.
TIMEOUT = 10
# Seconds until a delivery without result is repeated.
ABANDONED = 60
# Seconds before the first repetition, then 20, 40, … for about three hours.
BACKOFF = 10
TRIES = 10


class WebhookRefusedError(Exception):
    """The settings do not allow this webhook; the message names the setting."""


def check_target(url: str, settings: Agents) -> None:
    """Raise `WebhookRefusedError` unless the settings allow `url`."""
    try:
        # Parsed by the client that sends it: another parser may find another host.
        target = httpx.URL(url)
    except httpx.InvalidURL:
        target = httpx.URL()
    if not target.host or target.scheme not in ("http", "https"):
        raise WebhookRefusedError("A webhook must be an http or https address.")
    if target.host not in settings.webhook_hosts:
        raise WebhookRefusedError(f"AGENTS__WEBHOOK_HOSTS does not list {target.host!r}.")
    secret = settings.webhook_secret.get_secret_value()
    if len(secret) < 32:
        raise WebhookRefusedError("AGENTS__WEBHOOK_SECRET is shorter than 32 characters.")
    try:
        _key(secret)
    except ValueError:
        raise WebhookRefusedError("AGENTS__WEBHOOK_SECRET is not base64 after whsec_.") from None


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature` of a message."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    """The key of a secret: base64 after `whsec_`, as in the specification, or the text itself."""
    prefix, found, key = secret.partition("whsec_")
    return base64.b64decode(key, validate=True) if found and not prefix else secret.encode()


class WebhookSender:
    """Sends webhooks that are due."""

    def __init__(self, webhooks: Webhooks, settings: Agents) -> None:
        self._webhooks = webhooks
        self._settings = settings
        self._client = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send_due(self) -> None:
        """Try each webhook that is due once."""
        if not self._settings.webhook_hosts:
            return
        due = await self._webhooks.claim(BATCH, time.time() + ABANDONED)
        await asyncio.gather(*(self._send(run) for run in due))

    async def _send(self, run: Run) -> None:
        url = run.request.webhook or ""
        body = dumps(
            {
                "run_id": run.run_id,
                "thread_id": run.thread_id,
                "assistant_id": run.agent,
                "status": run.status,
                "error": run.error,
                "metadata": run.metadata,
            }
        )
        timestamp = int(time.time())
        secret = self._settings.webhook_secret.get_secret_value()
        headers = {
            "content-type": "application/json",
            "webhook-id": run.run_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret, run.run_id, timestamp, body),
        }
        try:
            check_target(url, self._settings)
            response = await self._client.post(url, content=body, headers=headers)
            response.raise_for_status()
        except (httpx.HTTPError, WebhookRefusedError) as error:
            given_up = run.webhook_tries + 1 >= TRIES
            logger.warning(
                "webhook failed", run_id=run.run_id, reason=str(error), given_up=given_up
            )
            retry = time.time() + BACKOFF * 2**run.webhook_tries
            await self._webhooks.schedule(run.run_id, None if given_up else retry)
        else:
            await self._webhooks.schedule(run.run_id, None)
