"""A layer or a document that is polled: each change once, page by page, and what can go wrong."""

from __future__ import annotations

import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import SourceUnreachableError
from data.events import StopChange
from data.feeds import esri, web
from data.feeds.cad_layer import Document, LayerDoor
from data.feeds.cad_rows import CadForm
from data.feeds.esri import EsriLayer
from data.feeds.web import Server, UnreadError, connecting
from tests.data.feeds.keeper import Keeper, during
from tests.data.feeds.web_peers import FakeLayer, document_of, listening, new_secret, row_of

if TYPE_CHECKING:
    from data.feeds.web import Connect

AT_MS = 1773367273123
AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
MINUTE_MS = 60_000
CONNECT: Connect = connecting(ssl.create_default_context(), {})


def layer_door(
    port: int, connect: Connect = CONNECT, *, ends: float | None = None, **more: Any
) -> LayerDoor:
    url = f"http://127.0.0.1:{port}/FeatureServer/0"
    source = EsriLayer(
        Server(f"feeds.door.url={url}", "its token"), url, all_rows=ends is not None, **more
    )
    return LayerDoor("door", source, CadForm(), connect, every_s=0.02, absent=absent_of(ends))


def absent_of(ends: float | None) -> timedelta | None:
    return None if ends is None else timedelta(seconds=ends)


def document_door(port: int, *, ends: float | None = None) -> LayerDoor:
    url = f"http://127.0.0.1:{port}/calls.geojson"
    source = Document(Server(f"feeds.door.url={url}", "its token"), url)
    form = CadForm(fields={"at": "EditDate"}, instants="epoch_ms")
    return LayerDoor("door", source, form, CONNECT, every_s=0.02, absent=absent_of(ends))


def stops(keeper: Keeper) -> list[str]:
    found = [one.report for one in keeper.told]
    return [one.stop.stop_id for one in found if isinstance(one, StopChange)]


def fails(door: LayerDoor, keeper: Keeper | None = None) -> str:
    async def forever() -> None:
        await asyncio.sleep(60)

    with pytest.raises(SourceUnreachableError) as caught:
        during(door, keeper or Keeper(), forever)
    return str(caught.value)


@pytest.mark.parametrize("answers", ["json", "geojson"])
def test_all_rows_come_page_by_page_and_then_what_is_edited(answers: str) -> None:
    layer, keeper = FakeLayer(most=3), Keeper()
    layer.rows = [row_of(number, f"T-{number}", AT_MS + number) for number in range(1, 9)]

    async def work() -> None:
        await keeper.until(lambda: len(stops(keeper)) == 8)
        await keeper.until(lambda: len(layer.asked) > 6)
        assert len(stops(keeper)) == 8
        edited_ms = AT_MS + 5 * MINUTE_MS
        third = row_of(3, "T-3", edited_ms, ended_at=edited_ms)
        ninth = row_of(9, "T-9", edited_ms + 1)
        layer.rows = [*layer.rows[:2], third, *layer.rows[3:], ninth]
        await keeper.until(lambda: len(stops(keeper)) == 10)
        await asyncio.sleep(0.1)

    with listening(layer.app()) as port:
        during(layer_door(port, answers=answers), keeper, work)
    assert stops(keeper)[:8] == [f"T-{number}" for number in range(1, 9)]
    assert sorted(stops(keeper)[8:]) == ["T-3", "T-9"]
    ended = next(one.report for one in keeper.told if one.report.at == AT + timedelta(minutes=5))
    assert isinstance(ended, StopChange)
    assert ended.stop.ended_at == ended.at == AT + timedelta(minutes=5)
    first = layer.asked[0]
    assert (first["where"], first["f"], first["outSR"]) == ("1=1", answers, "4326")
    assert (first["orderByFields"], first["resultRecordCount"]) == ("OBJECTID", "3")
    assert [one["resultOffset"] for one in layer.asked[:4]] == ["0", "2", "4", "6"]
    # From a minute before the last edit on: one that was committed late has not been missed.
    assert layer.asked[-1]["where"] == "(1=1) AND EditDate >= TIMESTAMP '2026-03-13 02:05:13'"
    assert keeper.opened_times == 1


def test_instants_of_a_query_are_in_the_layers_zone() -> None:
    layer, keeper = FakeLayer(zone="America/Denver"), Keeper()
    layer.rows = [row_of(1, "T-1", AT_MS)]

    async def work() -> None:
        await keeper.until(lambda: len(layer.asked) > 1)

    with listening(layer.app()) as port:
        during(layer_door(port), keeper, work)
    assert layer.asked[-1]["where"].endswith("TIMESTAMP '2026-03-12 20:00:13'")


@pytest.mark.parametrize("fold_h", [0, 1])
def test_in_the_hour_that_comes_twice_a_query_begins_before_it(fold_h: int) -> None:
    """A service that takes 01:29 for the second of its kind would hide an hour of edits."""
    layer, keeper = FakeLayer(zone="America/Denver"), Keeper()
    edited = datetime(2026, 11, 1, 7 + fold_h, 30, tzinfo=UTC)
    layer.rows = [row_of(1, "T-1", round(1000 * edited.timestamp()))]

    async def work() -> None:
        await keeper.until(lambda: len(layer.asked) > 1)

    with listening(layer.app()) as port:
        during(layer_door(port), keeper, work)
    assert layer.asked[-1]["where"].endswith("TIMESTAMP '2026-11-01 00:29:00'")


def test_an_edit_of_the_far_future_hides_none_of_today() -> None:
    layer, keeper = FakeLayer(), Keeper()
    layer.rows = [row_of(1, "T-1", AT_MS), row_of(2, "T-2", 1 << 42)]

    async def work() -> None:
        await keeper.until(lambda: len(layer.asked) > 1)

    with listening(layer.app()) as port:
        during(layer_door(port), keeper, work)
    now = datetime.now(UTC)
    assert f"TIMESTAMP '{now:%Y}" in layer.asked[-1]["where"]
    (reason,) = keeper.reasons
    assert reason.startswith("door:2 EditDate=4398046511104: must not be later than now")


def test_rows_that_go_while_pages_are_read_hide_no_others() -> None:
    layer, keeper = FakeLayer(most=3), Keeper()
    layer.rows = [row_of(number, f"T-{number}", AT_MS) for number in range(1, 9)]

    def each_page(first: int) -> None:
        if first == 2 and len(layer.rows) == 8:
            del layer.rows[0]

    layer.each_page = each_page

    async def work() -> None:
        await keeper.until(lambda: bool(stops(keeper)))

    with listening(layer.app()) as port:
        during(layer_door(port), keeper, work)
    assert set(stops(keeper)) >= {f"T-{number}" for number in range(2, 9)}


def test_rows_that_never_stand_still_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = FakeLayer(most=3)
    layer.rows = [row_of(number, f"T-{number}", AT_MS) for number in range(1, 90)]
    layer.each_page = lambda _first: layer.rows.pop(0)
    monkeypatch.setattr(esri, "TRIES", 2)
    with listening(layer.app()) as port:
        assert "its rows change while they are read; make `where` narrower" in fails(
            layer_door(port)
        )


def test_pages_without_end_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esri, "LARGEST", 1000)
    layer, keeper = FakeLayer(most=3), Keeper()
    layer.rows = [row_of(number, f"T-{number}", AT_MS) for number in range(1, 9)]
    with listening(layer.app()) as port:
        assert "its pages must not hold more than 0 MiB; make `where` narrower" in fails(
            layer_door(port), keeper
        )
    assert keeper.told == []


def test_more_rows_than_a_layer_without_pages_gives_are_said() -> None:
    layer = FakeLayer(most=3, pages=False)
    layer.rows = [row_of(number, f"T-{number}", AT_MS) for number in range(1, 9)]
    with listening(layer.app()) as port:
        assert "has more rows than it gives (3 at once)" in fails(layer_door(port))
    assert "resultOffset" not in layer.asked[0]


def test_a_layer_that_tells_no_edits_is_read_whole_and_each_change_told_once() -> None:
    layer, keeper = FakeLayer(tracking=False), Keeper()
    layer.rows = [row_of(1, "T-1", AT_MS), row_of(2, "T-2", AT_MS)]

    async def work() -> None:
        await keeper.until(lambda: len(stops(keeper)) == 2)
        layer.rows[1] = row_of(2, "T-2", AT_MS, phase="custody")
        await keeper.until(lambda: len(stops(keeper)) == 3)
        await asyncio.sleep(0.1)

    with listening(layer.app()) as port:
        during(layer_door(port), keeper, work)
    assert stops(keeper) == ["T-1", "T-2", "T-2"]
    assert {one["where"] for one in layer.asked} == {"1=1"}
    assert all("at" in one.untold for one in keeper.told)


def test_a_token_goes_in_a_header_and_a_wrong_one_is_said() -> None:
    layer, keeper = FakeLayer(token=new_secret()), Keeper()
    layer.rows = [row_of(1, "T-1", AT_MS)]

    async def work() -> None:
        await keeper.until(lambda: stops(keeper) == ["T-1"])

    with listening(layer.app()) as port:
        why = fails(layer_door(port))
        assert "answers with error 498 (Invalid token.); look at its address, `where` and" in why
        headers = {"X-Esri-Authorization": f"Bearer {layer.token}"}
        connect = connecting(ssl.create_default_context(), headers)
        during(layer_door(port, connect), keeper, work)


def test_a_document_is_fetched_anew_only_where_it_has_changed() -> None:
    layer, keeper = FakeLayer(), Keeper()
    layer.document = document_of(row_of(1, "T-1", AT_MS))

    async def work() -> None:
        await keeper.until(lambda: layer.documents > 3)
        assert stops(keeper) == ["T-1"]
        layer.document = document_of(row_of(1, "T-1", AT_MS), row_of(2, "T-2", AT_MS))
        layer.tag = '"2"'
        await keeper.until(lambda: len(stops(keeper)) == 2)

    with listening(layer.app()) as port:
        during(document_door(port), keeper, work)
    assert stops(keeper) == ["T-1", "T-2"]
    assert layer.heard[1]["if-none-match"] == '"1"'
    assert layer.heard[1]["if-modified-since"] == "Fri, 13 Mar 2026 02:00:00 GMT"


def test_what_was_not_kept_is_asked_for_again() -> None:
    class Dying(Keeper):
        async def take(self, *_: object, **__: object) -> None:
            raise ZeroDivisionError

    layer, keeper = FakeLayer(), Keeper()
    layer.document = document_of(row_of(1, "T-1", AT_MS))

    async def forever() -> None:
        await asyncio.sleep(60)

    async def work() -> None:
        await keeper.until(lambda: bool(stops(keeper)))

    with listening(layer.app()) as port:
        door = document_door(port)
        with pytest.raises(ZeroDivisionError):
            during(door, Dying(), forever)
        during(door, keeper, work)


@pytest.mark.parametrize("same", [True, False])
def test_a_stop_that_two_answers_in_a_row_do_not_list_is_over(*, same: bool) -> None:
    """Also where the second answer says that the list is as it was."""
    layer, keeper = FakeLayer(), Keeper()
    both = document_of(row_of(1, "T-1", AT_MS), row_of(2, "T-2", AT_MS))
    layer.document = both

    async def work() -> None:
        await keeper.until(lambda: len(stops(keeper)) == 2)
        layer.document, layer.tag = document_of(row_of(1, "T-1", AT_MS)), '"2"' if same else ""
        await keeper.until(lambda: len(stops(keeper)) == 3)
        await asyncio.sleep(0.1)

    with listening(layer.app()) as port:
        during(document_door(port, ends=0.0), keeper, work)
    assert stops(keeper) == ["T-1", "T-2", "T-2"]
    over = keeper.told[2]
    assert isinstance(over.report, StopChange)
    assert over.report.stop.ended_at == over.report.at > AT
    assert "phase" in over.untold
    assert "ended_at" not in over.untold


def test_a_stop_that_one_answer_forgets_is_not_over() -> None:
    layer, keeper = FakeLayer(), Keeper()
    both = document_of(row_of(1, "T-1", AT_MS), row_of(2, "T-2", AT_MS))
    layer.document, layer.tag = both, ""
    door = document_door(0, ends=0.0)

    async def polls() -> None:
        for content in (both, document_of(), both, document_of()):
            await door._hand_on(content, keeper, datetime.now(UTC))

    asyncio.run(polls())
    assert stops(keeper)[:2] == ["T-1", "T-2"]
    assert all(
        isinstance(one.report, StopChange) and one.report.stop.ended_at is None
        for one in keeper.told
    )


def polled(listed: list[tuple[float, set[int]]]) -> list[tuple[str, float]]:
    """Give what is over by answers at some seconds, and since when it was absent."""
    door, keeper = document_door(0, ends=60.0), Keeper()
    began = datetime.now(UTC)

    async def polls() -> None:
        for second, numbers in listed:
            rows = document_of(*(row_of(one, f"T-{one}", AT_MS) for one in sorted(numbers)))
            await door._hand_on(rows, keeper, began + timedelta(seconds=second))

    asyncio.run(polls())
    over = [
        one.report for one in keeper.told if "phase" in one.untold and "started_at" in one.untold
    ]
    return [
        (one.stop.stop_id, (one.stop.ended_at - began).total_seconds())
        for one in over
        if isinstance(one, StopChange) and one.stop.ended_at
    ]


def test_a_stop_is_over_when_it_has_been_absent_for_long_enough() -> None:
    both = {1, 2}
    assert polled([(0, both), (10, {1}), (20, {1}), (69, {1})]) == []
    assert polled([(0, both), (10, {1}), (70, {1}), (80, {1})]) == [("T-2", 10)]
    assert polled([(0, both), (10, {1}), (60, both), (65, {1}), (80, {1})]) == []
    assert polled([(0, both), (10, set()), (70, set())]) == [("T-1", 10), ("T-2", 10)]


def test_half_a_list_does_not_end_all_stops() -> None:
    whole, half = {1, 2, 3, 4, 5}, {1, 2}
    often = [(10.0 * number, half) for number in range(1, 60)]
    assert polled([(0, whole), *often, (600, whole)]) == []
    assert [name for name, _ in polled([(0, whole), *often, (611, half)])] == ["T-3", "T-4", "T-5"]
    few = [(10.0 * number, whole - {5}) for number in range(1, 10)]
    assert polled([(0, whole), *few]) == [("T-5", 10)]


def test_a_stop_whose_row_cannot_be_read_any_more_is_not_over() -> None:
    layer, keeper = FakeLayer(), Keeper()
    layer.document, layer.tag = document_of(row_of(1, "T-1", AT_MS), row_of(2, "T-2", AT_MS)), ""

    async def work() -> None:
        await keeper.until(lambda: len(stops(keeper)) == 2)
        layer.document = document_of(row_of(1, "T-1", AT_MS), row_of(2, "", AT_MS))
        before = layer.documents
        await keeper.until(lambda: layer.documents > before + 3)

    with listening(layer.app()) as port:
        during(document_door(port, ends=0.0), keeper, work)
    assert stops(keeper) == ["T-1", "T-2"]
    (reason,) = keeper.reasons
    assert reason == "door:2 stop_id=: must be given"


@pytest.mark.parametrize(
    "content", [b"<html>", b"3", b'{"features": 7}', b'{"features": [], "x": NaN}']
)
def test_an_answer_that_is_none_is_kept_once_and_said(content: bytes) -> None:
    layer, keeper = FakeLayer(answer=content), Keeper()
    with listening(layer.app()) as port:
        door = layer_door(port)
        assert "answers what cannot be read; see the dead letters" in fails(door, keeper)
        assert "answers what cannot be read" in fails(door, keeper)
    (refusal,) = keeper.heard
    assert (
        json.loads(refusal.raw) == json.loads(content)
        if b"7" in content
        else (refusal.raw == content)
    )
    assert keeper.opened_times == 0


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "will not let us in (401); look at its token"),
        (404, "answers 404 to /calls.geojson; is its address right?"),
        (302, "answers 302 to /calls.geojson; is its address right?"),
        (503, "answers 503 to /calls.geojson"),
    ],
)
def test_a_server_that_refuses_is_said(status: int, why: str) -> None:
    layer = FakeLayer(status=status)
    with listening(layer.app()) as port:
        assert why in fails(document_door(port))


def test_a_server_that_is_not_there_is_said() -> None:
    assert "cannot be reached (" in fails(document_door(1))


def test_an_answer_that_only_drips_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, and the door would hang for as long as they come."""
    monkeypatch.setattr(web, "LONGEST_ANSWER_S", 0.3)

    async def drip(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(50):
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b"[]"})

    async def work() -> None:
        await asyncio.sleep(1.5)

    with listening(drip) as port, pytest.raises(SourceUnreachableError, match="TimeoutError"):
        during(document_door(port), Keeper(), work)


def test_an_answer_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LARGEST", 100)
    layer = FakeLayer(document=b"x" * 1000)
    with listening(layer.app()) as port:
        assert "must not answer with more than 0 MiB" in fails(document_door(port))


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("7", 7.0),
        ("99999", 600.0),
        ("soon", 0.0),
        ((datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 600.0),
    ],
    ids=["seconds", "too long", "no number", "an instant"],
)
def test_a_server_is_left_alone_as_long_as_it_asks_for(
    header: str, wait_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    def busy(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"Retry-After": header})

    monkeypatch.setattr("data.feeds.web.asyncio.sleep", sleep)
    server = Server("feeds.door.url=x", "its token")

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(busy)) as client:
            with pytest.raises(SourceUnreachableError, match="answers 429"):
                await server.ask(client, "GET", "http://x/")
            await server.patience()

    asyncio.run(work())
    assert waited == [pytest.approx(wait_s, abs=1.0)]


odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda deeper: (
        st.lists(deeper, max_size=3)
        | st.dictionaries(st.sampled_from(["attributes", "properties", "EditDate", "id"]), deeper)
    ),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "editFieldsInfo": odd,
            "advancedQueryCapabilities": odd,
            "fields": odd,
            "maxRecordCount": odd,
            "dateFieldsTimeReference": odd,
            "objectIdField": odd,
        },
    ),
    st.fixed_dictionaries({}, optional={"features": odd, "properties": odd, "error": odd}),
)
def test_whatever_a_service_answers_is_rows_or_a_reason(
    nature: dict[str, Any], page: dict[str, Any]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=page if request.url.path.endswith("/query") else nature)

    async def work() -> None:
        transport = httpx.MockTransport(answer)
        layer = EsriLayer(Server("x", "y"), "http://x/0")
        async with httpx.AsyncClient(transport=transport) as client:
            try:
                assert await layer.changed(client)
            except (SourceUnreachableError, UnreadError):
                return
            layer.taken(AT)
            layer.form(CadForm())

    asyncio.run(work())
