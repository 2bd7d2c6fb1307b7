"""A recorded period without the units of some agencies."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from data.events import Fixes

if TYPE_CHECKING:
    from collections.abc import Collection

    from data.events import History


def without_agencies(history: History, agencies: Collection[str]) -> History:
    """
    Leave out the units of some agencies, and their stops.

    Parameters
    ----------
    history : History
        What happened.
    agencies : collection of str
        Whose units are not shown.

    Returns
    -------
    history : History
        A unit belongs to the agency that its statuses named last.
    """
    whose = {one.unit_id: one.agency for one in history.statuses}
    return without_units(history, {one for one, agency in whose.items() if agency in agencies})


def without_units(history: History, hidden: Collection[str]) -> History:
    """
    Leave out some units, and their stops.

    Parameters
    ----------
    history : History
        What happened.
    hidden : collection of str
        Units that are not shown.

    Returns
    -------
    history : History
        The same where there are none.
    """
    if not hidden:
        return history
    fixes = history.fixes
    seen = np.array([one not in hidden for one in fixes.unit_ids], np.bool_)[fixes.unit_row]
    columns = {one.name: getattr(fixes, one.name)[seen] for one in fields(fixes)[1:]}
    return replace(
        history,
        fixes=Fixes(unit_ids=fixes.unit_ids, **columns),
        statuses=tuple(one for one in history.statuses if one.unit_id not in hidden),
        stops=tuple(one for one in history.stops if one.stop.unit_id not in hidden),
        answers=tuple(one for one in history.answers if one.unit_id not in hidden),
        on_scene=tuple(one for one in history.on_scene if one.unit_id not in hidden),
    )
