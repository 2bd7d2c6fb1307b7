"""A folder into which a dispatch system (CAD) drops files: each is taken once, and put away."""

from __future__ import annotations

import asyncio
import codecs
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from data.errors import SourceUnreachableError
from data.feeds.cad_rows import READERS, checked, read_cad
from data.feeds.heard import Refusal
from data.formats.raw import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from data.feeds.cad_rows import CadForm
    from data.feeds.door import Receiver
    from data.feeds.heard import Heard, Told

TAKEN, DONE, FAILED = "taken", "done", "failed"
UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", "~")
CLOSING = {b"{": b"}", b"[": b"]"}  # of JSON; files of lines end with a line's end
LONGER = 10  # so many times as long is waited for a file that looks cut off
LARGEST = 1 << 26
# Neither through a link out of the folder, nor waiting for who writes into a pipe.
PLAINLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
LONGEST_NAME = 180  # bytes: with the instant and a reason's ending less than any system's 255
PRUNE_EVERY_S = 3600.0
STAMP = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """
    A folder, and how it is watched.

    Parameters
    ----------
    folder : Path
        Where files come; ``taken``, ``done`` and ``failed`` are made in it.
    form : CadForm
        How the agency writes.
    every_s : float
        It is looked at so often.
    still_s : float
        A file is whole when it has not changed for so long.
    keep_days : float
        What was put away is deleted after so long; 0: never.
    leaving : bool
        Files are read and left where they are.
    """

    folder: Path
    form: CadForm
    every_s: float = 1.0
    still_s: float = 2.0
    keep_days: float = 7.0
    leaving: bool = False


class FolderDoor:
    """
    A watched folder.

    Parameters
    ----------
    name : str
        The door's.
    watched : Watched
        What to watch.
    check : callable
        Raises `FieldError` where it may not speak for a unit.
    now : callable
        Tells the time.
    """

    def __init__(
        self,
        name: str,
        watched: Watched,
        check: Callable[[Told], object] = lambda _told: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name, self._watched, self._check, self._now = name, watched, check, now
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}
        self._left: dict[str, tuple[int, int]] = {}
        self._pruned_s = -PRUNE_EVERY_S

    async def run(self, receiver: Receiver) -> None:
        """
        Watch until cancelled.

        Parameters
        ----------
        receiver : Receiver
            When it has taken a file's rows, the file is put away, and not before: after a crash it
            is read again.

        Raises
        ------
        SourceUnreachableError
            If the folder cannot be read and written.
        """
        try:
            await asyncio.to_thread(self._prepare)
            receiver.opened(door=self.name)
            while True:
                for path in await asyncio.to_thread(self._ready):
                    await self._hand_on(path, receiver)
                await asyncio.to_thread(self._prune)
                await asyncio.sleep(self._watched.every_s)
        except OSError as error:
            where = f"feeds.{self.name}.folder={self._watched.folder}"
            rule = f"must be a folder that can be read and written ({error.strerror or error})"
            raise SourceUnreachableError(f"{where}: {rule}; look at its name and rights") from error

    def _prepare(self) -> None:
        """Make the folders within; look that they can be written."""
        folder = self._watched.folder
        list(folder.iterdir())
        if not self._watched.leaving:
            for name in (TAKEN, DONE, FAILED):
                (folder / name).mkdir(exist_ok=True)

    def _ready(self) -> list[Path]:
        """List what is whole, the oldest first; what was taken before a crash comes before all."""
        folder, now_s = self._watched.folder, time.monotonic()
        found: dict[str, os.stat_result] = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                lower = entry.name.lower()
                if lower.startswith(".") or lower.endswith(UNFINISHED):
                    continue
                try:
                    if entry.is_file(follow_symlinks=False):
                        found[entry.name] = entry.stat()
                except FileNotFoundError:  # gone meanwhile
                    continue
        whole = []
        for name, status in found.items():
            sign = status.st_size, status.st_mtime_ns
            before, since_s = self._seen.get(name, (None, now_s))
            since_s = since_s if before == sign else now_s
            self._seen[name] = sign, since_s
            if self._left.get(name) != sign and now_s - since_s >= self._wait_s(folder / name):
                whole.append((status.st_mtime_ns, name))
        self._seen = {name: self._seen[name] for name in found}
        taken = [] if self._watched.leaving else sorted((folder / TAKEN).iterdir())
        return [*taken, *(folder / name for _, name in sorted(whole))]

    def _wait_s(self, path: Path) -> float:
        """Say how long a file must have been still: longer if it looks cut off."""
        try:
            with open(path, "rb", opener=_plainly) as stream:
                first = stream.read(64).removeprefix(codecs.BOM_UTF8).lstrip()[:1]
                stream.seek(max(0, stream.seek(0, os.SEEK_END) - 64))
                last = stream.read()
        except OSError:  # said when it is taken
            return self._watched.still_s
        if path.suffix.lower() in {".json", ".geojson"}:
            whole = last.rstrip()[-1:] == CLOSING.get(first)
        else:
            whole = last.endswith(b"\n")
        return self._watched.still_s * (1 if whole else LONGER)

    async def _hand_on(self, path: Path, receiver: Receiver) -> None:
        """Take one file, have its rows kept, and put it away."""
        try:
            path = await asyncio.to_thread(self._pick, path)
        except FileNotFoundError:  # gone meanwhile
            return
        arrived_at = self._now()
        file = shown(path.name.partition("_")[2] if path.parent.name == TAKEN else path.name)
        heard = await asyncio.to_thread(self._read, path, file, arrived_at)
        if heard:
            await receiver.take(heard, door=self.name, peer=file, arrived_at=arrived_at)
        if not self._watched.leaving:
            await asyncio.to_thread(self._put_away, path, heard)

    def _read(self, path: Path, file: str, arrived_at: datetime) -> list[Heard | Told]:
        """Read a file's rows, and refuse those of units that are not ours to speak for."""
        rows = _heard(path, file, self._watched.form, arrived_at)
        return [checked(one, self._check) for one in rows]

    def _pick(self, path: Path) -> Path:
        """Take a file away from whoever writes: the next of its name is another."""
        if self._watched.leaving:
            self._left[path.name] = self._seen[path.name][0]
            return path
        if path.parent.name == TAKEN:
            return path
        stamp = self._now().astimezone(UTC).strftime(STAMP)
        name = os.fsdecode(os.fsencode(path.name)[-LONGEST_NAME:])
        for number in count():
            taken = path.parent / TAKEN / f"{stamp}{f'-{number}' if number else ''}_{name}"
            if not taken.exists():
                break
        path.rename(taken)
        return taken

    def _put_away(self, path: Path, heard: Sequence[Heard | Told]) -> None:
        """Move a file to what is done, or beside its reason to what failed."""
        folder = self._watched.folder
        reasons = [one.reason for one in heard if isinstance(one, Refusal)]
        if reasons:
            text = f"{len(heard) - len(reasons)} rows were taken, {len(reasons)} were not:\n"
            beside = folder / FAILED / f"{path.name}.reason.txt"
            with open(beside, "w", encoding="utf-8", opener=_plainly) as stream:
                stream.write(text + "".join(f"{one}\n" for one in reasons))
        path.rename(folder / (FAILED if reasons else DONE) / path.name)

    def _prune(self) -> None:
        """Delete what was put away long ago."""
        now_s = time.monotonic()
        if self._watched.leaving or not self._watched.keep_days:
            return
        if now_s - self._pruned_s < PRUNE_EVERY_S:
            return
        self._pruned_s = now_s
        before = (self._now() - timedelta(days=self._watched.keep_days)).astimezone(UTC)
        for name in (DONE, FAILED):
            for path in (self._watched.folder / name).iterdir():
                stamp, rest, _ = path.name.partition("_")
                if rest and stamp < before.strftime(STAMP):
                    path.unlink(missing_ok=True)


def _plainly(path: str, flags: int) -> int:
    """Open a file that lies in the folder itself; a link leads elsewhere, and is a fault."""
    return os.open(path, flags | PLAINLY, 0o666)


def _read(path: Path) -> tuple[bytes, datetime]:
    """Read a file that nobody writes to any more."""
    with open(path, "rb", opener=_plainly) as stream:
        content = stream.read(LARGEST + 1)
        return content, datetime.fromtimestamp(os.fstat(stream.fileno()).st_mtime, UTC)


def _heard(path: Path, file: str, form: CadForm, arrived_at: datetime) -> list[Heard | Told]:
    """Read a file's rows, or say why it is none of ours; one bad file holds up no other."""
    try:
        content, written_at = _read(path)
    except OSError as error:
        rule = f"cannot be read ({error.strerror or error}); look at its rights"
        return [Refusal(raw=b"", reason=f"{file}: {rule}")]
    ending = path.suffix.lower()
    rule = ""
    if ending not in READERS:
        rule = f"must end in one of {', '.join(READERS)}; save a spreadsheet as CSV UTF-8"
    elif len(content) > LARGEST:
        rule = f"must not be larger than {LARGEST >> 20} MiB; write it in parts"
    if rule:
        return [Refusal(raw=content[:LARGEST], reason=f"{file}: {rule}")]
    written_at = min(written_at, arrived_at)
    return read_cad(content, ending, form, file, clock=arrived_at, written_at=written_at)
