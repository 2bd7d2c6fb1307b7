"""Where the service may listen."""

from __future__ import annotations

from data.errors import SettingError
from rollby.service.guard import is_loopback


def check_bind(host: str, *, tls: bool, word: bool) -> None:
    """
    Refuse to send passwords and positions over a network in the open.

    Parameters
    ----------
    host : str
        Where to listen.
    tls : bool
        Whether this server has a certificate.
    word : bool
        Whether it was said in so many words that it may do without, as behind a proxy that has one.

    Raises
    ------
    SettingError
        If it may not.
    """
    if is_loopback(host) or tls or word:
        return
    raise SettingError(
        f"service.listen={host}: others could read along; set tls_certificate and tls_key, listen "
        "on 127.0.0.1, or set behind_proxy where a proxy before it has TLS"
    )
