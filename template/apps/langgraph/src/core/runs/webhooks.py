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
from apps.langgraph.src.core.storage.storage import is_outage
from apps.langgraph.src.core.storage.webhooks import Webhooks
from shared.settings import Agents

logger = structlog.get_logger(__name__)

BATCH = 10
# Deliveries to one host at a time: a slow receiver must not delay the others.
PER_HOST = 4
# Seconds until a webhook is looked at again whose host has that many deliveries.
HOST_BUSY = 2
# Seconds for one delivery.
TIMEOUT = 10
# Seconds until a delivery without result is repeated.
ABANDONED = 60
# Seconds before the first repetition, then 20, 40, … for about three hours.
BACKOFF = 10
TRIES = 10
DEFAULT_PORTS = {"http": 80, "https": 443}


class WebhookRefusedError(Exception):
    """The settings do not allow this webhook; the message names the setting."""


def check_target(url: str, settings: Agents) -> None:
    """Raise `WebhookRefusedError` unless the settings allow `url`."""
    try:
        # Parsed by the client that sends it: another parser may find another host.
        target = httpx.URL(url)
    except httpx.InvalidURL:
        target = httpx.URL()
    if not target.host or target.scheme not in DEFAULT_PORTS:
        raise WebhookRefusedError("A webhook must be an http or https address.")
    name = f"[{target.host}]" if ":" in target.host else target.host
    place = f"{name}:{target.port or DEFAULT_PORTS[target.scheme]}"
    # A host without a port means the scheme's default.
    listed = {place} if target.port else {place, name}
    if listed.isdisjoint(settings.webhook_hosts):
        wanted = place if target.port else name
        raise WebhookRefusedError(f"AGENTS__WEBHOOK_HOSTS does not list {wanted!r}.")
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
        self._sending: dict[asyncio.Task[None], str] = {}

    async def aclose(self) -> None:
        """End the deliveries, which are repeated after the next start, and their connections."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._client.aclose()

    async def send_due(self) -> None:
        """Begin to deliver the webhooks that are due, and put those of busy hosts back."""
        if not self._settings.webhook_hosts:
            return
        while due := await self._webhooks.claim(BATCH, time.time() + ABANDONED):
            for run in due:
                await self._begin(run)

    async def _begin(self, run: Run) -> None:
        host = httpx.URL(run.request.webhook or "").netloc.decode()
        if list(self._sending.values()).count(host) >= PER_HOST:
            later = time.time() + HOST_BUSY
            await self._webhooks.schedule(run.run_id, later, tries=run.webhook_tries)
            return
        task = asyncio.create_task(self._send(run))
        self._sending[task] = host
        task.add_done_callback(self._sending.pop)

    async def _send(self, run: Run) -> None:
        url = run.request.webhook or ""
        body = dumps(
            {
                "run_id": run.run_id,
                "thread_id": run.thread_id,
                "assistant_id": run.agent,
                "status": run.status,
                "cancelled": run.was_cancelled,
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
            # The answer's status is enough: its body may be endless.
            async with (
                asyncio.timeout(TIMEOUT),
                self._client.stream("POST", url, content=body, headers=headers) as response,
            ):
                response.raise_for_status()
        except (httpx.HTTPError, TimeoutError, WebhookRefusedError) as error:
            given_up = run.webhook_tries + 1 >= TRIES
            logger.warning(
                "webhook failed",
                run_id=run.run_id,
                reason=str(error) or "timeout",
                given_up=given_up,
            )
            retry = time.time() + BACKOFF * 2**run.webhook_tries
            await self._schedule(run, None if given_up else retry)
        else:
            await self._schedule(run, None)

    async def _schedule(self, run: Run, due: float | None) -> None:
        try:
            await self._webhooks.schedule(run.run_id, due)
        except Exception as error:
            # It is sent again after `ABANDONED` seconds; receivers know it by its ID.
            if not is_outage(error):
                logger.exception("webhook not noted", run_id=run.run_id)
