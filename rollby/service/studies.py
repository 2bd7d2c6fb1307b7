"""What analysts upload and work out, kept in a folder for each of them, for a while."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from data.atomic import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rollby.service.callers import Caller

DAY_MS: Final = 86_400_000
_ABOUT: Final = "about.json"


class Kind(StrEnum):
    """What a study is."""

    HISTORY = "history"
    GAPS = "gaps"
    POSTS = "posts"


class State(StrEnum):
    """How far it is."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


GOING_ON: Final = frozenset({State.RECEIVING, State.WAITING, State.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """
    A history that was uploaded, or something that was worked out.

    Parameters
    ----------
    study_id : str
        Its address.
    owner : str
        Whose, as `owner_of` writes it.
    kind : Kind
        What it is.
    title : str
        For people.
    made_ms : int
        When it was asked for, milliseconds since the epoch.
    state : State
        How far it is.
    facts : dict of str to JSON values
        What came out, for the list.
    fault : str
        Why it failed, in sentences; "" where it did not.
    """

    study_id: str
    owner: str
    kind: Kind
    title: str
    made_ms: int
    state: State = State.WAITING
    facts: dict[str, Any] = field(default_factory=dict)
    fault: str = ""


def owner_of(caller: Caller) -> str:
    """
    Tell whose a study is.

    Parameters
    ----------
    caller : Caller
        An account and a key of one name are two.

    Returns
    -------
    owner : str
        Fit for a folder's name, whatever the caller's is.
    """
    return hashlib.sha256(f"{caller.how}:{caller.name}".encode()).hexdigest()[:32]


def new_id() -> str:
    """
    Choose an address that nobody guesses.

    Returns
    -------
    study_id : str
        16 hexadecimal digits.
    """
    return secrets.token_hex(8)


class Studies:
    """
    The folder.

    Parameters
    ----------
    folder : Path
        Made when the first study is kept, for nobody else on the machine to read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder

    def folder(self, study: Study) -> Path:
        """
        Give a study's own folder.

        Returns
        -------
        folder : Path
            There once the study was kept.
        """
        return self.path / study.owner / study.study_id

    def keep(self, study: Study) -> Study:
        """
        Write down what is known of a study.

        Returns
        -------
        study : Study
            The same.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self.folder(study)
        folder.mkdir(parents=True, exist_ok=True)
        with written(folder / _ABOUT) as part:
            part.write_text(json.dumps(asdict(study), ensure_ascii=False), encoding="utf-8")
        return study

    def of(self, owner: str) -> list[Study]:
        """
        List what somebody has.

        Returns
        -------
        studies : list of Study
            The newest first.
        """
        found = _all((self.path / owner).glob(f"*/{_ABOUT}"))
        return sorted(found, key=lambda one: (-one.made_ms, one.study_id))

    def find(self, owner: str, study_id: str) -> Study | None:
        """
        Look one up.

        Returns
        -------
        study : Study or None
            None where that owner has none of that address.
        """
        return next(_all([self.path / owner / study_id / _ABOUT]), None)

    def remove(self, study: Study) -> None:
        """Delete it, with everything that belongs to it."""
        shutil.rmtree(self.folder(study), ignore_errors=True)

    def tidy(self, now_ms: int, days: int) -> int:
        """
        Delete what is old.

        Returns
        -------
        gone : int
            How many.
        """
        old = [
            one
            for one in _all(self.path.glob(f"*/*/{_ABOUT}"))
            if now_ms - one.made_ms > days * DAY_MS
            and one.state not in {State.WAITING, State.RUNNING}
        ]
        for one in old:
            self.remove(one)
        return len(old)

    def interrupted(self) -> None:
        """Say of all that were going on that the service ended meanwhile."""
        fault = "The service ended before this was done; ask for it again."
        for study in list(_all(self.path.glob(f"*/*/{_ABOUT}"))):
            if study.state in GOING_ON:
                self.keep(replace(study, state=State.FAILED, fault=fault))


def _all(paths: Iterable[Path]) -> Iterator[Study]:
    """Read what is known of studies; what is no study of ours, or goes just now, is passed over."""
    for path in paths:
        try:
            raw = json.loads(path.read_text("utf-8"))
            yield Study(**{**raw, "kind": Kind(raw["kind"]), "state": State(raw["state"])})
        except (OSError, ValueError, TypeError, KeyError):
            continue
