"""Servers that are asked: one place for what can go wrong on the way, and for their patience."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from data.errors import SourceUnreachableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    Connect = Callable[[], httpx.AsyncClient]

LARGEST = 1 << 27
TIMEOUT_S = 30.0
LONGEST_ANSWER_S = 300.0  # from the first byte to the last, however often one comes
LONGEST_PATIENCE_S = 600.0
NOT_LET_IN = frozenset({401, 403})
BUSY = frozenset({429, 503})
NOT_MODIFIED = 304
FIRST_FAULT = 400


class UnreadError(Exception):
    """
    What came is no answer.

    Parameters
    ----------
    content : bytes
        What came.
    reason : str
        Why it is none.
    """

    def __init__(self, content: bytes, reason: str) -> None:
        super().__init__(reason)
        self.content = content


class Server:
    """
    A server that is asked, and how long it wants to be left alone.

    Parameters
    ----------
    where : str
        What it is called in messages: never with a secret in it.
    look_at : str
        What to look at where it does not let us in.
    """

    def __init__(self, where: str, look_at: str) -> None:
        self.where, self._look_at = where, look_at
        self._quiet_until_s = 0.0

    async def patience(self) -> None:
        """Wait for as long as it has asked for."""
        await asyncio.sleep(max(0.0, self._quiet_until_s - time.monotonic()))

    async def ask(
        self, client: httpx.AsyncClient, method: str, address: str, **more: Any
    ) -> httpx.Response:
        """
        Send a request; take its whole answer.

        Parameters
        ----------
        client : AsyncClient
            Open.
        method, address : str
            Of the request; the address holds no secret.
        **more : any
            For `httpx.AsyncClient.build_request`.

        Returns
        -------
        answer : Response
            Read; its status is below 400.

        Raises
        ------
        SourceUnreachableError
            If it does not answer, or refuses.
        """
        try:
            request = client.build_request(method, address, **more)
            answer = await client.send(request, stream=True)
            try:
                async with asyncio.timeout(LONGEST_ANSWER_S):
                    await self._read(answer)
            finally:
                await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            why = str(error) or type(error).__name__
            raise SourceUnreachableError(
                f"{self.where}: cannot be reached ({why}); does it run, is its certificate right?"
            ) from error
        status = answer.status_code
        if status in BUSY:
            self._be_patient(answer.headers.get("Retry-After", ""))
        if status in NOT_LET_IN:
            raise SourceUnreachableError(
                f"{self.where}: will not let us in ({status}); look at {self._look_at}"
            )
        if status >= FIRST_FAULT or (answer.has_redirect_location and status != NOT_MODIFIED):
            raise SourceUnreachableError(
                f"{self.where}: answers {status} to {request.url.path}; is its address right?"
            )
        return answer

    async def _read(self, answer: httpx.Response) -> None:
        """
        Read an answer, so long as it is bearable.

        Raises
        ------
        SourceUnreachableError
            If it is larger.
        """
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > LARGEST:
                rule = f"must not answer with more than {LARGEST >> 20} MiB"
                raise SourceUnreachableError(f"{self.where}: {rule}")
        answer._content = bytes(body)  # noqa: SLF001 - what `aread` would do, had it a limit

    def _be_patient(self, retry_after: str) -> None:
        """Note for how long it wants to be left alone."""
        if retry_after.isdecimal():
            wait_s = float(retry_after)
        else:
            try:
                until = parsedate_to_datetime(retry_after)
                wait_s = (until - datetime.now(UTC)).total_seconds()
            except (ValueError, TypeError):
                return
        self._quiet_until_s = time.monotonic() + min(wait_s, LONGEST_PATIENCE_S)


def connecting(tls: ssl.SSLContext, headers: Mapping[str, str]) -> Connect:
    """
    Say how a server is called.

    Parameters
    ----------
    tls : SSLContext
        What its certificate is held to.
    headers : mapping of str to str
        To send with each request; a secret belongs here.

    Returns
    -------
    connect : callable
        Opens a client; it follows no redirect, and takes nothing from the environment.
    """
    return partial(
        httpx.AsyncClient, verify=tls, headers=headers, timeout=TIMEOUT_S, trust_env=False
    )
