import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.forms.places import touches
from pipeline.tours.house import House, build_house
from pipeline.tours.layout import BOX
from pipeline.tours.moves.floor import FloorMap
from pipeline.tours.settings import TourSettings
from pipeline.tours.variety import HouseSettings

ALL = TourSettings(rooms_max=4, houses=HouseSettings(recesses=0.4, slopes=0.3, lofts=0.3))
STANDS = {SemanticClass.BED, SemanticClass.SOFA, SemanticClass.TABLE, SemanticClass.CHAIR}


def test_there_is_air_about_everybody_and_furniture_keeps_out_of_slopes_corners_and_flights():
    for seed in range(12):
        house = build_house(np.random.default_rng(seed), ALL)
        floor = FloorMap.of(house)
        for room in (room for room in house.rooms if room.form != BOX):
            _there_is_air(house, floor.places(room.bounds, 0.3))
            for low, high in (item.bounds() for item in house.things if item.label in STANDS):
                x0, y0, x1, y1 = room.bounds
                if low[0] >= x0 and low[1] >= y0 and high[0] <= x1 and high[1] <= y1:
                    footprint = (*low[:2], *high[:2])
                    assert high[2] < room.form.height_over(room, footprint)
                    assert not any(touches(footprint, taken) for taken in room.form.built_over(room))


def _there_is_air(house: House, spots: np.ndarray) -> None:
    assert len(spots), "there is a place to stand"
    eyes = np.column_stack([spots, np.full(len(spots), 1.7)]).astype(np.float32)
    up = house.caster.cast(eyes, np.tile(np.float32([0, 0, 1]), (len(eyes), 1)))
    down = house.caster.cast(eyes, np.tile(np.float32([0, 0, -1]), (len(eyes), 1)))
    assert (1.7 + up.distance > 1.94).all()
    assert (house.mesh.labels[down.triangle] == SemanticClass.FLOOR).all()


def test_without_shares_every_room_is_a_box():
    house = build_house(np.random.default_rng(3), TourSettings())
    assert {room.form for room in house.rooms} == {BOX}
