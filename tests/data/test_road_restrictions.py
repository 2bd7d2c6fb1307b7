"""What relations say of turns, and what they ban on the edges."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.roads.bans import APART, NO_DRIVE, ban_turns
from data.roads.draft import RoadDraft
from data.roads.restrictions import (
    BY_THE_HOUR,
    MEMBERS_MISSING,
    ONTO_UNDRIVEN,
    TOO_MANY_MEMBERS,
    UNKNOWN_KIND,
    Restriction,
    driven_part,
    read_restriction,
)
from tests.data.osm_texts import PLACES, turn
from tests.data.slow_bans import SlowBans
from tests.prove import examples

if TYPE_CHECKING:
    from data.road_table import RoadTable
    from tests.data.osm_texts import Member, Tags

TURN = turn(1, 5, 2)


def read(members: list[Member], **tags: str) -> Restriction | str:
    return read_restriction({"type": "restriction"} | tags, members)


def kind(**tags: str) -> str:
    read_as = read_restriction(
        {"type": "restriction"} | {key.replace("__", ":"): value for key, value in tags.items()},
        TURN,
    )
    return read_as if isinstance(read_as, str) else read_as.kind


def test_a_restriction_names_its_members() -> None:
    assert read([*TURN, ("location_hint", "n", 9)], restriction="no_left_turn") == Restriction(
        kind="no_left_turn", from_ways=(1,), via_nodes=(5,), via_ways=(), to_ways=(2,)
    )
    assert read(turn(1, [7, 8], 1), restriction="no_u_turn") == Restriction(
        kind="no_u_turn", from_ways=(1,), via_nodes=(), via_ways=(7, 8), to_ways=(1,)
    )


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"restriction": "only_right_turn"}, "only_right_turn"),
        ({"restriction__motorcar": "no_u_turn"}, "no_u_turn"),
        ({"restriction__motor_vehicle": "no_u_turn"}, "no_u_turn"),
        ({"restriction": "no_u_turn", "restriction__motorcar": "none"}, ""),
        ({"restriction": "no_u_turn", "restriction__motorcar": "no_entry"}, "no_entry"),
        (
            {"restriction": "no_u_turn", "restriction__conditional": "none @ (22:00-06:00)"},
            "no_u_turn",
        ),
    ],
)
def test_the_most_particular_kind_decides(tags: Tags, expected: str) -> None:
    assert kind(**tags) == expected


@pytest.mark.parametrize(
    "tags",
    [
        {"type": "multipolygon", "restriction": "no_u_turn"},
        {"restriction__conditional": "no_u_turn @ (06:00-22:00)", "except": "motorcar"},
        *(
            {"restriction": "no_u_turn", "except": f"psv; {who}"}
            for who in (
                "motorcar",
                "motor_vehicle",
                "vehicle",
                "emergency",
            )
        ),
        {"restriction": "none"},
        {"restriction__hgv": "no_u_turn"},
        {"restriction__bus__conditional": "no_u_turn @ (06:00-22:00)"},
    ],
)
def test_restrictions_for_others_are_not_ours(tags: Tags) -> None:
    assert kind(**tags) == ""


def test_restrictions_that_exempt_others_are_ours() -> None:
    assert kind(restriction="no_u_turn", **{"except": "psv;bicycle"}) == "no_u_turn"


@pytest.mark.parametrize(
    "tags",
    [
        {"restriction__conditional": "no_u_turn @ (06:00-22:00)"},
        {"restriction__motorcar__conditional": "no_u_turn @ (06:00-22:00)"},
        *(
            {"restriction": "no_u_turn", key: "x"}
            for key in (
                "day_on",
                "day_off",
                "hour_on",
                "hour_off",
            )
        ),
    ],
)
def test_restrictions_by_the_hour_are_counted(tags: Tags) -> None:
    assert kind(**tags) == BY_THE_HOUR


def test_restrictions_of_an_unknown_kind_are_counted() -> None:
    assert kind(restriction="yield") == UNKNOWN_KIND


def test_other_words_after_no_or_only_are_taken() -> None:
    for word in ("no_weird_zigzags", "only_left_on"):
        assert kind(restriction=word) == word
    for word in ("no_turn_on_red", "no_right_turn_on_red"):
        assert kind(restriction=word) == ""


@pytest.mark.parametrize("role", ["from", "via", "to"])
def test_restrictions_without_a_member_are_counted(role: str) -> None:
    members = [member for member in TURN if member[0] != role]
    assert read(members, restriction="no_u_turn") == MEMBERS_MISSING


def test_several_members_where_one_is_meant_are_counted() -> None:
    more_from, more_to = [*TURN, ("from", "w", 3)], [*TURN, ("to", "w", 3)]
    for restriction in ("no_left_turn", "no_exit", "only_straight_on"):
        assert read(more_from, restriction=restriction) == TOO_MANY_MEMBERS
    for restriction in ("no_left_turn", "no_entry", "only_straight_on"):
        assert read(more_to, restriction=restriction) == TOO_MANY_MEMBERS
    assert read([*TURN, ("via", "n", 6)], restriction="no_u_turn") == TOO_MANY_MEMBERS
    assert isinstance(read(more_from, restriction="no_entry"), Restriction)
    assert isinstance(read(more_to, restriction="no_exit"), Restriction)
    assert isinstance(read([*TURN, TURN[0]], restriction="no_left_turn"), Restriction)
    assert isinstance(read([*turn(1, [7], 2), TURN[1]], restriction="no_u_turn"), Restriction)


def test_ways_that_are_not_driven_are_forgotten() -> None:
    given = Restriction(
        kind="no_entry", from_ways=(1, 3), via_nodes=(), via_ways=(7,), to_ways=(2,)
    )
    part = driven_part(given, {3})
    assert isinstance(part, Restriction)
    assert part.from_ways == (1,)
    assert driven_part(given, set()) == given
    for undriven in ({1, 3}, {2}, {7}):
        assert driven_part(given, undriven) == ""


def test_only_onto_a_road_not_driven_is_counted() -> None:
    buses_only = known("only_straight_on", turn(1, 5, 2))
    assert driven_part(buses_only, {2}) == ONTO_UNDRIVEN
    for undriven in ({1}, {1, 2}):
        assert driven_part(buses_only, undriven) == ""
    table = table_of({1: ([1, 5], ""), 3: ([5, 3], "")})
    assert ban_turns(table, [buses_only], np.array([2])) == (set(), {ONTO_UNDRIVEN: 1})
    assert ban_turns(table, [buses_only], np.array([1, 2])) == (set(), {})


# On the edges -------------------------------------------------------------------------------------

Drawn = tuple[list[int], str]
Named = tuple[int, int, int]


def table_of(ways: dict[int, Drawn]) -> RoadTable:
    draft = RoadDraft(service_roads=False)
    for number, (refs, oneway) in ways.items():
        row = draft.add_way(number, {"highway": "road", "oneway": oneway})
        assert row is not None
        draft.add_path(row, refs)
    for node in draft.wanted_nodes().tolist():
        draft.add_node(node, *PLACES[node])
    return draft.table(name="drawn")


def bans(
    ways: dict[int, list[int]], *given: tuple[str, list[Member]], oneway: tuple[int, ...] = ()
) -> tuple[set[tuple[Named, ...]], dict[str, int]]:
    """Bans as tail id, head id and way id of each edge; and what was passed over."""
    table = table_of({way: (refs, "yes" if way in oneway else "") for way, refs in ways.items()})
    found, passed_over = ban_turns(table, [known(*one) for one in given], np.empty(0, np.int64))
    ids = table.node_id.tolist()
    ends = list(zip(table.tail.tolist(), table.head.tolist(), table.way_id.tolist(), strict=True))
    return {
        tuple((ids[ends[row][0]], ids[ends[row][1]], ends[row][2]) for row in ban) for ban in found
    }, dict(passed_over)


def known(kind: str, members: list[Member]) -> Restriction:
    restriction = read(members, restriction=kind)
    assert isinstance(restriction, Restriction)
    return restriction


CROSS = {1: [1, 5], 2: [5, 2], 3: [5, 3], 4: [4, 5]}


def test_no_bans_its_own_turn() -> None:
    found, _ = bans(CROSS, ("no_left_turn", turn(1, 5, 2)))
    assert found == {((1, 5, 1), (5, 2, 2))}


def test_only_bans_every_other_turn_and_turning_round() -> None:
    found, _ = bans(CROSS, ("only_straight_on", turn(1, 5, 2)))
    assert found == {((1, 5, 1), onto) for onto in ((5, 1, 1), (5, 3, 3), (5, 4, 4))}


def test_two_that_say_only_leave_both_turns() -> None:
    given = ("only_straight_on", turn(1, 5, 2)), ("only_right_turn", turn(1, 5, 3))
    found, _ = bans(CROSS, *given)
    assert found == {((1, 5, 1), onto) for onto in ((5, 1, 1), (5, 4, 4))}


def test_no_entry_of_several_ways_and_no_exit_onto_several() -> None:
    entry, _ = bans(CROSS, ("no_entry", [*turn(1, 5, 2), ("from", "w", 3)]))
    assert entry == {((1, 5, 1), (5, 2, 2)), ((3, 5, 3), (5, 2, 2))}
    onto, _ = bans(CROSS, ("no_exit", [*turn(1, 5, 2), ("to", "w", 3)]))
    assert onto == {((1, 5, 1), (5, 2, 2)), ((1, 5, 1), (5, 3, 3))}


def test_of_a_way_that_passes_through_the_side_of_the_kind_is_meant() -> None:
    ways = {1: [3, 5, 7], 3: [5, 1]}  # PLACES bend left as they rise
    sides = {
        "left_turn": ((3, 5, 1), (5, 1, 3)),
        "right_turn": ((7, 5, 1), (5, 1, 3)),
        "u_turn": ((3, 5, 1), (5, 1, 3)),
        "straight_on": ((7, 5, 1), (5, 1, 3)),
    }
    for kind, side in sides.items():
        assert bans(ways, (f"no_{kind}", turn(1, 5, 3)))[0] == {side}
        only, _ = bans(ways, (f"only_{kind}", turn(1, 5, 3)))
        assert {approach for approach, _ in only} == {side[0]}
    onto, _ = bans(ways, ("no_left_turn", turn(3, 5, 1)))
    assert onto == {((1, 5, 3), (5, 7, 1))}


def test_both_sides_of_a_way_that_passes_through_where_neither_is_of_the_kind() -> None:
    onto = {((2, 5, 3), (5, 1, 1)), ((2, 5, 3), (5, 7, 1))}
    for kind in ("no_exit", "no_right_turn"):
        assert bans({1: [1, 5, 7], 3: [5, 2]}, (kind, turn(3, 5, 1)))[0] == onto


def test_no_u_turn_into_the_same_way_bans_turning_round_alone() -> None:
    found, _ = bans({1: [1, 5, 2], 3: [5, 3]}, ("no_u_turn", turn(1, 5, 1)))
    assert found == {((1, 5, 1), (5, 1, 1)), ((2, 5, 1), (5, 2, 1))}


def test_turns_within_one_way_are_those_of_the_kind() -> None:
    ways = {1: [2, 5, 7], 3: [5, 3]}  # PLACES bend left as they rise
    left, right = ((2, 5, 1), (5, 7, 1)), ((7, 5, 1), (5, 2, 1))
    assert bans(ways, ("no_left_turn", turn(1, 5, 1)))[0] == {left}
    assert bans(ways, ("no_right_turn", turn(1, 5, 1)))[0] == {right}
    assert bans(ways, ("no_straight_on", turn(1, 5, 1)))[0] == {left, right}


def test_no_u_turn_in_the_middle_of_an_edge_bans_nothing() -> None:
    assert bans({1: [1, 5, 2]}, ("no_u_turn", turn(1, 5, 1))) == (set(), {})


def test_no_u_turn_around_a_loop() -> None:
    found, _ = bans({1: [1, 2], 3: [2, 3, 4, 2]}, ("no_u_turn", turn(1, 2, 1)))
    assert found == {((1, 2, 1), (2, 1, 1))}


def test_one_ways_that_leave_nothing_to_ban_are_no_fault() -> None:
    assert bans(CROSS, ("no_left_turn", turn(2, 5, 1)), oneway=(1, 2)) == (set(), {})
    assert bans(CROSS, ("only_left_turn", turn(2, 5, 3)), oneway=(2,)) == (set(), {})


DUAL = {1: [1, 2], 2: [2, 3], 3: [3, 4], 5: [2, 6], 7: [3, 8], 9: [1, 9], 10: [4, 10]}


def test_no_along_a_via_way() -> None:
    found, passed_over = bans(DUAL, ("no_u_turn", turn(1, [2], 3)))
    assert found == {((1, 2, 1), (2, 3, 2), (3, 4, 3))}
    assert passed_over == {}


def test_only_along_a_via_way_binds_those_who_take_it() -> None:
    found, _ = bans(DUAL, ("only_straight_on", turn(1, [2], 3)))
    approach = (1, 2, 1), (2, 3, 2)
    assert found == {(*approach, (3, 8, 7)), (*approach, (3, 2, 2))}


def test_via_ways_that_come_back_to_the_from_way() -> None:
    ways = {1: [1, 2], 2: [2, 3], 3: [3, 4, 2], 5: [2, 5]}
    ring = ((1, 2, 1), (2, 3, 2), (3, 2, 3), (2, 5, 5))
    assert bans(ways, ("no_u_turn", turn(1, [2, 3], 5)), oneway=(2, 3))[0] == {ring}
    there_and_back = bans(ways, ("no_u_turn", turn(1, [2], 5)))
    assert there_and_back == (set(), {NO_DRIVE: 1})


def test_several_via_ways_in_any_order_with_crossings_on_them() -> None:
    ways = {1: [1, 2], 2: [2, 3, 4], 3: [4, 5], 4: [5, 6], 7: [3, 7]}
    drive = ((1, 2, 1), (2, 3, 2), (3, 4, 2), (4, 5, 3), (5, 6, 4))
    for via in ([2, 3], [3, 2]):
        assert bans(ways, ("no_u_turn", turn(1, via, 4)))[0] == {drive}
    only, _ = bans(ways, ("only_straight_on", turn(1, [2, 3], 4)))
    assert only == {
        (*drive[:2], (3, 7, 7)),
        (*drive[:2], (3, 2, 2)),
        (*drive[:3], (4, 3, 2)),
        (*drive[:4], (5, 4, 3)),
    }


def test_via_nodes_beside_via_ways_must_lie_on_them() -> None:
    members = turn(1, [2], 3)
    assert len(bans(DUAL, ("no_u_turn", [*members, ("via", "n", 3)]))[0]) == 1
    assert bans(DUAL, ("no_u_turn", [*members, ("via", "n", 8)])) == (
        set(),
        {NO_DRIVE: 1},
    )


@pytest.mark.parametrize(
    ("kind", "members", "oneway", "reason"),
    [
        ("no_left_turn", turn(1, 5, 99), (), MEMBERS_MISSING),
        ("no_left_turn", turn(99, 5, 1), (), MEMBERS_MISSING),
        ("no_left_turn", turn(1, [99], 2), (), MEMBERS_MISSING),
        ("no_left_turn", turn(1, 4, 2), (), APART),
        ("no_left_turn", turn(1, 77, 2), (), APART),
        (
            "only_left_turn",
            turn(1, 5, 4),
            (4,),
            "turn restrictions that only allow a turn against a one-way road",
        ),
        (
            "no_u_turn",
            turn(1, [2], 3),
            (),
            NO_DRIVE,
        ),
    ],
)
def test_what_cannot_be_honoured_is_counted_by_reason(
    kind: str, members: list[Member], oneway: tuple[int, ...], reason: str
) -> None:
    assert bans(CROSS, (kind, members), oneway=oneway) == (set(), {reason: 1})


def test_via_ways_without_end_are_given_up() -> None:
    square = list(range(6))
    ways = {10 + a * 6 + b: [a, b] for a in square for b in square if a < b} | {
        1: [8, 0],
        2: [9, 7],
    }
    ways |= {3: [9, 10]}
    via = [way for way in ways if way >= 10]
    _, passed_over = bans(ways, ("no_u_turn", turn(1, via, 2)))
    assert passed_over == {NO_DRIVE: 1}


NODES = st.integers(1, 6)
WAYS = st.lists(
    st.tuples(st.lists(NODES, min_size=2, max_size=4), st.sampled_from(["", "", "yes"])),
    min_size=2,
    max_size=5,
).filter(lambda ways: any(len(set(refs)) > 1 for refs, _ in ways))
WAY = st.integers(0, 4)
TURNS = st.lists(
    st.tuples(
        st.sampled_from(["no_left", "only_left", "no_right", "only_right"]),
        WAY,
        NODES | st.lists(WAY, min_size=1, max_size=2, unique=True),
        WAY,
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=examples(300))
@given(WAYS, TURNS)
def test_bans_are_those_of_a_search_through_all_sequences(
    ways: list[Drawn], turns: list[tuple[str, int, int | list[int], int]]
) -> None:
    table = table_of(dict(enumerate(ways)))
    # Of turns into the same way, only turning round is of a kind that needs no angles.
    named = [
        known(f"{word.partition('_')[0]}_u_turn" if start == end else f"{word}_turn", members)
        for word, start, via, end in turns
        for members in [turn(start, via, end)]
    ]
    found, _ = ban_turns(table, named, np.empty(0, np.int64))
    assert found == SlowBans(table).bans(named)


def test_restrictions_of_a_draft_are_counted_with_what_is_left_out() -> None:
    draft = RoadDraft(service_roads=False)
    for number, refs in CROSS.items():
        row = draft.add_way(number, {"highway": "road"})
        assert row is not None
        draft.add_path(row, refs)
    alley = draft.add_way(9, {"highway": "service", "service": "alley"})
    assert alley is not None
    draft.add_path(alley, [5, 6])
    draft.leave_out({"areas": 1}, [10])
    for node in draft.wanted_nodes().tolist():
        draft.add_node(node, *PLACES[node])
    tags = {"type": "restriction", "restriction": "no_left_turn"}
    given = [turn(1, 5, 2), turn(1, 5, 99), turn(9, 5, 1), turn(1, 5, 10), turn(1, 5, 2)[1:]]
    for number, members in enumerate(given):
        draft.add_relation(number, tags, members)
        draft.add_relation(number, tags, turn(3, 5, 4))  # the same relation again
    table = draft.table(name="drawn", lacks="parking lots: not asked for")
    assert table.ban_count == 1
    assert Counter(table.source.left_out.split("; ")) == Counter(
        [
            "turn restrictions with members missing: 2",
            "areas: 1",
            "service roads: 1",
            "parking lots: not asked for",
        ]
    )
