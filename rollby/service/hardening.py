"""Headers that keep browsers from doing what rollby's pages never ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Messages = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Messages]]
    Send = Callable[[Messages], Awaitable[None]]
    Application = Callable[[Messages, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{images}; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
}
STRICT = "max-age=31536000; includeSubDomains"


class Hardening:
    """
    Adds the headers to every answer; what a route has set itself stays.

    Parameters
    ----------
    app : ASGI application
        Whose answers.
    secure : bool
        Whether callers come by TLS.
    images : tuple of str
        Other hosts that maps may take tiles from, such as ``https://tile.openstreetmap.org``.
    """

    def __init__(self, app: Application, *, secure: bool, images: tuple[str, ...] = ()) -> None:
        self._app = app
        policy = POLICY.format(images="".join(f" {host}" for host in images))
        headers = {**HEADERS, "Content-Security-Policy": policy}
        if secure:
            headers["Strict-Transport-Security"] = STRICT
        self._headers = [(name.lower().encode(), text.encode()) for name, text in headers.items()]

    async def __call__(self, scope: Messages, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        api = scope["path"].startswith("/api/")

        async def send_hardened(message: Messages) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                more = [*self._headers, *([(b"cache-control", b"no-store")] if api else [])]
                message["headers"] = [
                    *message["headers"],
                    *(one for one in more if one[0] not in present),
                ]
            await send(message)

        await self._app(scope, receive, send_hardened)
