"""How officers respond when asked to roll by: drawn for the stop and the officer alone."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from data.events import Answer, AnswerKind, OnScene, SeenBy
from data.records import UnitStatus
from geo.shift.car import Doing
from geo.shift.draws import draws
from geo.shift.fleet import instant

if TYPE_CHECKING:
    from data.said import Suggested, Withdrawn
    from geo.shift.car import Car
    from geo.shift.fleet import Fleet
    from geo.shift.plan import ShiftPlan
    from geo.shift.truth import Truth

STAYS_S = 30.0  # whoever came leaves so long after the stop's end
REACTS_S = 2.0  # after being told that it is needed no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """
    What an officer does, whenever asked about one stop.

    Parameters
    ----------
    comes, says : bool
        Comes; or else says so.
    delay_s : float
        From the request to the answer.
    factor : float
        How long the drive takes, relative to the reckoned one.
    """

    comes: bool
    says: bool
    delay_s: float
    factor: float


def response(seed: int, plan: ShiftPlan, stop_id: str, row: int) -> Response:
    """
    Draw a response.

    Parameters
    ----------
    seed : int
        Of the shift.
    plan : ShiftPlan
        Chances.
    stop_id : str
        About which stop.
    row : int
        Of the car.

    Returns
    -------
    response : Response
        The same under every policy.
    """
    rng = draws(seed, "answer", zlib.crc32(stop_id.encode()), row)
    delay_s = plan.answer_s * float(np.exp(rng.normal(0, plan.answer_spread)))
    comes, says = rng.random() < plan.comes, rng.random() < 0.5  # noqa: PLR2004 - half
    factor = float(np.exp(rng.normal(0, plan.drive_spread)))
    return Response(comes=comes, says=says, delay_s=delay_s, factor=factor)


class Officers:
    """
    Those who are asked: each thinks, answers, drives and stays.

    Parameters
    ----------
    fleet : Fleet
        Their cars.
    truth : Truth
        What really happens.

    Attributes
    ----------
    answers : dict of str to Answer
        By suggestion; without an answer where none was given.
    on_scene : list of OnScene
        Who was there as backup.
    """

    def __init__(self, fleet: Fleet, truth: Truth) -> None:
        self._fleet, self._truth = fleet, truth
        self._car_of = {car.unit_id: car for car in fleet.cars}
        self.answers: dict[str, Answer] = {}
        self.on_scene: list[OnScene] = []

    def hear(self, asked: Suggested, at_s: float) -> None:
        """Let an officer think about a suggestion."""
        car = self._car_of[asked.unit_id]
        self._truth.asked.append((asked.at_s, car.unit_id, asked.suggestion_id))
        car.pending = asked.suggestion_id
        self.answers[asked.suggestion_id] = Answer(
            suggestion_id=asked.suggestion_id,
            stop_id=asked.stop_id,
            unit_id=car.unit_id,
            asked_at=instant(asked.at_s),
        )
        drawn = response(self._fleet.seed, self._fleet.plan, asked.stop_id, car.row)
        if drawn.comes:
            self._fleet.later(at_s + drawn.delay_s, partial(self._accept, asked, car, drawn.factor))
        elif drawn.says:
            self._fleet.later(at_s + drawn.delay_s, partial(self._refuse, asked, car))

    def hear_no_more(self, gone: Withdrawn, at_s: float) -> None:
        """Tell an officer that a suggestion stands no more."""
        car = self._car_of[gone.unit_id]
        if car.pending == gone.suggestion_id:
            car.pending = ""
        on_way = car.helping == gone.stop_id and car.status is UnitStatus.EN_ROUTE
        if car.doing is Doing.HELP and on_way:
            self._fleet.car_later(car, at_s + REACTS_S, self._fleet.release)

    def _answer(self, asked: Suggested, kind: AnswerKind, at_s: float) -> None:
        """Give an answer."""
        answer = replace(self.answers[asked.suggestion_id], answer=kind, answered_at=instant(at_s))
        self.answers[asked.suggestion_id] = answer
        if self._fleet.dispatcher:
            self._fleet.dispatcher.take_answer(answer)

    def _refuse(self, asked: Suggested, car: Car, at_s: float) -> None:
        """Say no, if still asked."""
        if car.pending == asked.suggestion_id:
            car.pending = ""
            self._answer(asked, AnswerKind.CANT, at_s)

    def _accept(self, asked: Suggested, car: Car, factor: float, at_s: float) -> None:
        """Say yes, if still asked and free, and set out."""
        if car.pending != asked.suggestion_id or car.doing is not Doing.PATROL:
            return
        owner = self._car_of[self._truth.stops[asked.stop_id].unit_id]
        place, _ = self._fleet.ground.place(*owner.trip.at(at_s))
        car.take_up(Doing.HELP, at_s)
        car.helping = asked.stop_id
        there_s = self._fleet.drive(car, place, at_s, factor)
        self._answer(asked, AnswerKind.EN_ROUTE, at_s)
        self._fleet.show(car, UnitStatus.EN_ROUTE, at_s)
        if there_s is not None:
            self._fleet.car_later(car, there_s, partial(self._arrive, asked))

    def _arrive(self, asked: Suggested, car: Car, at_s: float) -> None:
        """Be there, as backup."""
        stop = self._truth.stops[asked.stop_id]
        if at_s >= stop.ended_s:
            self._fleet.release(car, at_s)
            return
        self._truth.came[asked.suggestion_id] = at_s
        leaves_s = min(stop.ended_s + STAYS_S, at_s + 60 * self._fleet.plan.help_max_min)
        stop.helped.append((at_s, min(leaves_s, stop.ended_s), car.officers))
        self.on_scene.append(
            OnScene(
                stop_id=asked.stop_id,
                unit_id=car.unit_id,
                arrived_at=instant(at_s),
                left_at=instant(min(leaves_s, self._fleet.plan.end_s)),
                seen_by=SeenBy.REPORT,
            )
        )
        self._fleet.show(car, UnitStatus.ON_SCENE, at_s)
        self._fleet.car_later(car, leaves_s, self._fleet.release)
