"""What agencies' own status codes mean: each agency's own, then those of all, then our words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from data.errors import FieldError
from data.records import UnitStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.settings import Settings

NOTHING = "none"
Meaning = UnitStatus | Literal["none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCodes:
    """
    What codes mean.

    Parameters
    ----------
    common : mapping of str to UnitStatus
        Those of all agencies.
    of_agency : mapping of str to (mapping of str to UnitStatus or "none")
        Those of single agencies, which come first; ``none`` changes no status.
    """

    common: Mapping[str, UnitStatus] = field(default_factory=dict)
    of_agency: Mapping[str, Mapping[str, Meaning]] = field(default_factory=dict)

    def status_of(self, code: str, agency: str = "") -> UnitStatus | None:
        """
        Read a status; capitals and small letters are alike where they leave no doubt.

        Parameters
        ----------
        code : str
            The agency's own code, or one of our words.
        agency : str
            Whose; empty if not told.

        Returns
        -------
        status : UnitStatus or None
            None for a code that changes no status.

        Raises
        ------
        FieldError
            If it is neither.
        """
        own = self.of_agency.get(agency, {})
        words: dict[str, Meaning] = {**{one.value: one for one in UnitStatus}, **self.common, **own}
        text = code.strip()
        folded = text.casefold()
        meant = {words[text]} if text in words else set()
        meant = meant or {words[known] for known in words if known.casefold() == folded}
        if len(meant) != 1:
            known = ", ".join(dict.fromkeys([*own, *self.common, *UnitStatus]))
            place = f'[agencies.status."{agency}"]' if agency else "[units.status]"
            rule = f"must be one of {known}; map the agency's codes in {place} of the settings"
            raise FieldError("status", code, rule)
        (meaning,) = meant
        return None if meaning == NOTHING else UnitStatus(meaning)

    def knows(self, code: str, agency: str = "") -> bool:
        """
        Tell whether a code has a meaning.

        Returns
        -------
        known : bool
            Also where it means that no status changes.
        """
        try:
            self.status_of(code, agency)
        except FieldError:
            return False
        return True


def codes_of(settings: Settings) -> StatusCodes:
    """
    Take the codes out of the settings.

    Returns
    -------
    codes : StatusCodes
        Of all agencies.
    """
    return StatusCodes(common=settings.units.status, of_agency=settings.agencies.status)
