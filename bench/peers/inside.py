"""
Run by a Python that OSRM's and Valhalla's wheels are built for, inside whose process they answer.

Reads ``{"base" and "algorithm" or "config", "wheel", "tables", "warm"}`` as a line of JSON and
answers the first tables to warm up; then answers the table of every line's number and prints the
seconds it took.
"""

import json
import os
import sys
import time


def osrm_answers(job):  # noqa: ANN001, ANN201 - another Python's script, few words
    """Prepare OSRM: one closure a table."""
    import osrm  # noqa: PLC0415 - found through the wheel's folder

    engine = osrm.OSRM(
        storage_config=job["base"], use_shared_memory=False, algorithm=job["algorithm"],
        max_locations_distance_table=-1,
    )  # fmt: skip

    def prepare(table):  # noqa: ANN001, ANN202 - as above
        count = len(table) - 1
        asked = osrm.TableParameters(
            coordinates=[tuple(place) for place in table],
            sources=list(range(count)), destinations=[count], annotations=["duration"],
            generate_hints=False,
        )  # fmt: skip
        return lambda: engine.Table(asked)["durations"]

    return [prepare(table) for table in job["tables"]]


def valhalla_answers(job):  # noqa: ANN001, ANN201 - as above
    """Prepare Valhalla: one closure a table."""
    import valhalla  # noqa: PLC0415 - as above

    actor = valhalla.Actor(job["config"])

    def prepare(table):  # noqa: ANN001, ANN202 - as above
        places = [{"lon": lon, "lat": lat} for lon, lat in table]
        asked = {"sources": places[:-1], "targets": places[-1:], "costing": "auto"}
        text = json.dumps(asked | {"verbose": False})
        return lambda: actor.matrix(text)

    return [prepare(table) for table in job["tables"]]


def main():  # noqa: ANN201 - as above
    """Answer until the input ends."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Valhalla writes its log where the answers go
    job = json.loads(sys.stdin.readline())
    sys.path.insert(0, job["wheel"])
    answers = (osrm_answers if "base" in job else valhalla_answers)(job)
    for answer in answers[: job["warm"]]:
        answer()
    print("ready", file=told, flush=True)
    for line in sys.stdin:
        begun = time.perf_counter()
        answers[int(line)]()
        print(time.perf_counter() - begun, file=told, flush=True)


if __name__ == "__main__":
    main()
