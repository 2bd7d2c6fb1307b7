"""Damaged messages through every reader of `data/feeds`: none may raise, and none may hang."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from data.errors import SourceUnreachableError
from data.feeds.cad_rows import CadForm, read_cad
from data.feeds.cot import CotReader, split_events
from data.feeds.cot_fake import write_cot
from data.feeds.esri import EsriLayer
from data.feeds.geojson_points import parse_geojson
from data.feeds.heard import Told
from data.feeds.mqtt import parse_message
from data.feeds.nmea import NmeaReader
from data.feeds.osmand import parse_json, parse_query
from data.feeds.owntracks import parse_owntracks
from data.feeds.taip import parse_taip
from data.feeds.traccar_positions import parse_traccar
from data.feeds.web import UnreadError
from data.records import UnitFix

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.feeds.heard import Heard, Parser

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SLOW_S = 5.0
SAMPLES = Path(__file__).parent.parent / "tests" / "data" / "feeds"
OWNTRACKS = [b'{"_type":"location","tid":"a","tst":1795521600,"lat":39.7,"lon":-104.9,"vel":30}']
GEOJSON = [
    (
        b'{"type":"Feature","geometry":{"type":"Point","coordinates":[-104.9,39.7]},'
        b'"properties":{"unit_id":"4A12","fixed_at":"2026-11-24T11:59:59Z","speed_mps":9}}'
    )
]
QUERY = [b"id=4A12&lat=39.7&lon=-104.9&timestamp=1795521600&speed=10&bearing=90"]
JSON = [
    (
        b'{"device_id":"4A12","location":{"timestamp":"2026-11-24T11:59:59Z",'
        b'"coords":{"latitude":39.7,"longitude":-104.9,"speed":9,"heading":90}}}'
    )
]
FIX = UnitFix(fixed_at=NOW, lon_deg=-104.9, lat_deg=39.7, speed_mps=9, heading_deg=90.0)
COT = [
    *split_events((SAMPLES / "samples_cot.xml").read_bytes())[0],
    *(write_cot(FIX, uid="4A12", callsign="4A12", wire=wire) for wire in ("xml", "mesh", "stream")),
    b'<!DOCTYPE a [<!ENTITY b "bbb"><!ENTITY c "&b;&b;&b;">]><event uid="&c;"></event>',
]
NATURE = {
    "objectIdField": "OBJECTID",
    "fields": [{"name": "OBJECTID", "type": "esriFieldTypeOID"}],
    "editFieldsInfo": {"editDateField": "EditDate"},
    "advancedQueryCapabilities": {"supportsPagination": True},
    "maxRecordCount": 1000,
    "dateFieldsTimeReference": {"timeZone": "UTC", "timeZoneIANA": "America/Denver"},
}
ODD = [b"", b"\0", b"\xff", b"-", b"1e999", b"9" * 5000, b"NaN", b"null", b"[" * 2000, b'"', b"\n"]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Cut, double, exchange and fill in pieces of a message."""
    for _ in range(chance.randint(0, 6)):
        first, last = sorted(chance.randint(0, len(data)) for _ in range(2))
        piece = chance.choice(
            [*ODD, chance.randbytes(chance.randint(1, 9)), data[first:last] * chance.randint(0, 3)]
        )
        data = (data[:first] + piece + data[chance.choice((first, last)) :])[:60_000]
    return data


def recorded(name: str) -> list[bytes]:
    """Read what real devices sent."""
    return (SAMPLES / name).read_bytes().splitlines()


def whole(name: str) -> list[bytes]:
    """Read a file as a dispatch system writes it."""
    return [(SAMPLES / name).read_bytes()]


def parse_cad(ending: str, data: bytes, arrived_at: datetime) -> list[Heard]:
    """Read a file, by names and words of an agency."""
    names = {"unit_id": "Unit", "status": "Code", "at": "EditDate", "started_at": "Started"}
    csv_names = {"unit_id": "PrimaryUnit", "started_at": "DispatchTime", "lon": "Longitude"}
    fields = {"stop_id": "IncidentNumber", **csv_names} if ending == ".csv" else names
    form = CadForm(fields=fields, instants="epoch_ms" if ending == ".json" else "")
    heard = read_cad(data, ending, form, "file", clock=arrived_at, written_at=arrived_at)
    return [one for one in heard if not isinstance(one, Told)]


class Answering:
    """A feature service whose answers are given: the layer's nature, then page after page."""

    where = "esri"

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers

    async def ask(self, *_: object, **_more: object) -> SimpleNamespace:
        """Give the next; the last again and again."""
        return SimpleNamespace(
            content=self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        )


def parse_layer(data: bytes, arrived_at: datetime) -> list[Heard]:
    """Read a layer's nature and its pages, one a line."""
    server: Any = Answering(data.split(b"\n"))
    layer = EsriLayer(server, "https://gis.example.gov/0", edited="")
    try:
        content = asyncio.run(layer.changed(server))
    except (SourceUnreachableError, UnreadError):
        return []
    layer.taken(arrived_at)
    names = {"stop_id": "Incident", "unit_id": "Unit", "started_at": "Started"}
    form = layer.form(CadForm(fields=names))
    heard = read_cad(content, ".json", form, "layer", clock=arrived_at, written_at=arrived_at)
    return [one for one in heard if not isinstance(one, Told)]


def answers_of_a_layer() -> list[bytes]:
    """Make a layer of two pages."""
    (content,) = whole("samples_cad_esri.json")
    page = json.loads(content)
    first = {**page, "exceededTransferLimit": True}
    last = {**page, "features": page["features"][-1:]}
    return [b"\n".join(json.dumps(one).encode() for one in (NATURE, first, last))]


def main(budget_s: float, seed: int, only: list[str]) -> int:
    """Try readers for as long each; print how many messages each took."""
    readers: dict[str, tuple[Callable[[], Parser], list[bytes]]] = {
        "taip": (lambda: parse_taip, recorded("samples_taip.txt")),
        "nmea": (NmeaReader, recorded("samples_nmea.txt")),
        "cot": (CotReader, COT),
        "mqtt": (lambda: parse_message, OWNTRACKS),
        "owntracks": (lambda: parse_owntracks, OWNTRACKS),
        "geojson": (lambda: parse_geojson, GEOJSON),
        "osmand query": (lambda: parse_query, QUERY),
        "osmand json": (lambda: parse_json, JSON),
        "traccar": (lambda: parse_traccar, recorded("samples_traccar.jsonl")),
        "cad csv": (lambda: partial(parse_cad, ".csv"), whole("samples_cad_stops.csv")),
        "cad json": (lambda: partial(parse_cad, ".json"), whole("samples_cad_statuses.json")),
        "cad esri": (lambda: partial(parse_cad, ".json"), whole("samples_cad_esri.json")),
        "esri layer": (lambda: parse_layer, answers_of_a_layer()),
    }
    if unknown := set(only) - readers.keys():
        sys.exit(f"{', '.join(sorted(unknown))}: must be among {', '.join(readers)}")
    faults = 0
    for name, (reader, samples) in readers.items():
        if only and name not in only:
            continue
        chance, count, slowest_s = random.Random(f"{seed} {name}"), 0, 0.0  # noqa: S311 - no secret
        end_s = time.monotonic() + budget_s
        while time.monotonic() < end_s:
            began_s = time.process_time()  # not what else the machine does meanwhile
            data = damaged(chance.choice(samples), chance)
            try:
                reader()(data, NOW)
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                faults += 1
                print(f"{name}: {error!r} of {data[:300]!r}")
                break
            count += 1
            slowest_s = max(slowest_s, time.process_time() - began_s)
        faults += slowest_s > SLOW_S
        print(f"{name}: {count} messages, the slowest {slowest_s * 1000:.0f} ms", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("seconds", type=float, nargs="?", default=60.0, help="for each reader")
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--only", nargs="+", default=[], metavar="READER")
    words = ask.parse_args()
    sys.exit(main(words.seconds, words.seed, words.only))
