import pytest
from pydantic import BaseModel, ValidationError

from pipeline.tours.settings import TourSettings
from pipeline.tours.variety import HARD_HOUSES, HARD_MOVES, HouseSettings, MoveSettings


@pytest.mark.parametrize(
    ("model", "values", "what"),
    [
        (MoveSettings, {"speed": (1.2, 0.6)}, "moves.speed: 1.2 is larger than 0.6"),
        (MoveSettings, {"forward": 0.7, "turns": 0.7}, "together at most 1"),
        (HouseSettings, {"darkness": (0.5, 0.2)}, "houses.darkness: 0.5 is larger than 0.2"),
        (MoveSettings, {"stairs": 0.7, "overhead": 0.7}, "together at most 1"),
        (HouseSettings, {"recesses": 0.7, "lofts": 0.7}, "together at most 1"),
        (HouseSettings, {"mirrors": 1.5}, "less than or equal to 1"),
    ],
)
def test_what_no_house_and_no_walk_can_have_is_refused(model: type[BaseModel], values: dict[str, object], what: str):
    with pytest.raises(ValidationError, match=what):
        model.model_validate(values)


def test_plain_tours_have_none_of_it_and_hard_ones_have_all():
    assert (TourSettings().houses, TourSettings().moves) == (HouseSettings(), MoveSettings())
    assert not {"houses", "moves"} & set(TourSettings().decisive())
    for hard in (HARD_HOUSES, HARD_MOVES):
        same = [name for name, value in hard if value == getattr(type(hard)(), name)]
        assert set(same) <= {
            "darkness",
            "speed",
            "turning",
            "pace",
            "overhead_height",
            "overhead_tilt",
            "drone_height",
            "held_out",
        }, "ranges stay, shares do not; what is held out is scored alone"
