"""Webhooks: what the board says, told to other systems in order, signed, and until it is heard."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from typing import TYPE_CHECKING

import httpx
import structlog

from geo.as_json import said_json

if TYPE_CHECKING:
    from rollby.service.running import Running

MOST = 100
LOOK_EVERY_S = 0.5
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
TIMEOUT_S = 10.0


def signature(secret: bytes, sent_at: str, body: bytes) -> str:
    """
    Sign a message.

    Parameters
    ----------
    secret : bytes
        Shared with whoever is told.
    sent_at : str
        Seconds since the epoch, as in the header ``X-Rollby-Sent-At``.
    body : bytes
        As it is sent.

    Returns
    -------
    signature : str
        ``sha256=`` and the HMAC of ``SENT_AT.BODY``, hexadecimal.
    """
    signed = hmac.new(secret, sent_at.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"


async def tell(service: Running, name: str, address: str, secret: bytes) -> None:
    """
    Tell another system what the board says, for ever.

    Parameters
    ----------
    service : Running
        The service; it keeps the number of the last saying that was heard.
    name, address : str
        Of the other system. One that does not answer with 2xx is told again, with growing pauses,
        and nothing newer before it: it may hear something twice and must look at the numbers.
    secret : bytes
        To sign with.
    """
    log = structlog.get_logger().bind(webhook=name)
    wait_s = FIRST_WAIT_S
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        number = await service.look(lambda _board: service.store.delivered(name))
        while True:
            said = await asyncio.to_thread(service.store.said, number, MOST)
            if not said:
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            events = [{"number": n, **said_json(one)} for n, one in said]
            body = json.dumps({"schema": "rollby.webhook/1", "events": events}).encode()
            sent_at = str(service.clock.now_ms() // 1000)
            headers = {
                "Content-Type": "application/json",
                "X-Rollby-Sent-At": sent_at,
                "X-Rollby-Signature": signature(secret, sent_at, body),
            }
            try:
                answer = await client.post(address, content=body, headers=headers)
                answer.raise_for_status()
            except httpx.HTTPError as error:
                log.warning("webhook not heard", error=type(error).__name__, again_in_s=wait_s)
                await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
                continue
            number, wait_s = said[-1][0], FIRST_WAIT_S
            await _note(service, name, number)


async def _note(service: Running, name: str, number: int) -> None:
    """Keep how far a system was told, so that a restart does not begin anew."""
    await service.look(lambda _board: service.store.deliver(name, number))
