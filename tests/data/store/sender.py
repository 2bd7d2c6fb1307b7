"""A process that accepts reports without end and says what it has accepted; made to be killed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import count

from data.events import StatusChange
from data.records import UnitFix, UnitStatus
from data.reports import FixReport
from data.store.store import Entry, Store

AT = datetime(2026, 3, 13, 18, tzinfo=UTC)


def main(address: str, run: str) -> None:
    """Accept batches of three; a line of keys is printed once a batch is acknowledged."""
    store = Store(address)
    for number in count():
        keys = [f"{run}-{number}-{part}" for part in range(3)]
        entries = [
            Entry(
                door="cad",
                sender="cad",
                key=key,
                digest=key.encode(),
                reports=(
                    StatusChange(unit_id=key, at=AT, status=UnitStatus.AVAILABLE),
                    FixReport(unit_id=key, fix=UnitFix(fixed_at=AT, lon_deg=-105, lat_deg=39.7)),
                ),
            )
            for key in keys
        ]
        store.append(entries, store.received_ms + 1)
        sys.stdout.write(" ".join(keys) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
