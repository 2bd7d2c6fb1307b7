"""Who calls, as far as the service knows."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from rollby.service.rights import RIGHTS, Right, Role

How = Literal["session", "key", "loopback", "command"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    Who calls, and in which role.

    Parameters
    ----------
    name : str
        Of the account, or of the key.
    role : Role
        What it is to the service.
    unit_ids : tuple of str
        The units it speaks for; ``*`` and ``?`` stand for any characters.
    agency : str
        Whose; "" for all.
    how : {'session', 'key', 'loopback', 'command'}
        By what it is known.
    """

    name: str
    role: Role
    unit_ids: tuple[str, ...] = ()
    agency: str = ""
    how: How

    def may(self, right: Right) -> bool:
        """
        Tell whether the role has a right.

        Returns
        -------
        allowed : bool
            By the table of `rollby.service.rights`.
        """
        return right in RIGHTS[self.role]

    def speaks_for(self, unit_id: str) -> bool:
        """
        Tell whether a unit is one of this caller's.

        Returns
        -------
        allowed : bool
            True where `unit_ids` name it; upper and lower case differ.
        """
        return any(fnmatchcase(unit_id, pattern.replace("[", "[[]")) for pattern in self.unit_ids)
