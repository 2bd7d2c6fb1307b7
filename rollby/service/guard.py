"""The door to every route: who asks, and whether it is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, HTTPException, Request

from rollby.service.access import LOOPBACK, Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollby.service.rights import Right


def caller_of(request: Request) -> Caller:
    """
    Find who asks.

    Returns
    -------
    caller : Caller
        Without accounts the service listens on loopback only, and trusts who is there.
    """
    caller: Caller = getattr(request.app.state, "caller", LOOPBACK)
    return caller


def needs(*rights: Right) -> Callable[[Caller], Caller]:
    """
    Make what a route depends on.

    Parameters
    ----------
    rights : Right
        Any one of which is enough.

    Returns
    -------
    dependency : callable
        Gives the caller; answers 403 to others.
    """

    def allowed(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
        """
        Hold a caller to the rights.

        Raises
        ------
        HTTPException
            If it has none of them.
        """
        if not any(caller.may(right) for right in rights):
            wanted = " or ".join(rights)
            raise HTTPException(403, f"{caller.name}: must have the right to {wanted}")
        return caller

    return allowed
