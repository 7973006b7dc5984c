import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.house import House, build_house
from pipeline.tours.seating import chair, double_bed, sofa
from pipeline.tours.settings import TourSettings
from pipeline.tours.sizes import USUAL, Sizes, draw_ceilings, draw_sizes
from pipeline.tours.storage import bookshelf, kitchen_row, wardrobe
from pipeline.tours.tables import desk, dining_set
from pipeline.tours.variety import HouseSettings

DRAWN = [draw_sizes(np.random.default_rng(seed)) for seed in range(1500)]
VARIED = TourSettings(rooms_max=4, houses=HouseSettings(heights=True))


@pytest.mark.parametrize(
    ("kind", "low", "high", "spread"),
    [
        ("table", 0.71, 0.76, 0.02),
        ("desk", 0.71, 0.76, 0.02),
        ("chair", 0.43, 0.47, 0.035),
        ("sofa", 0.36, 0.45, 0.05),
        ("bed", 0.45, 0.65, 0.1),
    ],
)
def test_heights_spread_as_their_kind_does(kind: str, low: float, high: float, spread: float):
    heights = np.array([getattr(sizes, kind) for sizes in DRAWN])
    assert np.log(heights).std() == pytest.approx(spread, rel=0.1)
    assert low < np.median(heights) < high
    assert ((heights > low) & (heights < high)).mean() > 0.75  # the range is that of most, not of all


def test_doors_differ_between_countries_and_are_below_their_ceiling():
    doors = np.array([sizes.door for sizes in DRAWN])
    assert 0.02 < np.log(doors).std() < 0.04
    assert all(sizes.storey and sizes.door <= sizes.storey - 0.1 for sizes in DRAWN)


def test_ceilings_are_modern_old_or_low_and_tell_less_than_a_constant_would():
    storeys = np.array([sizes.storey for sizes in DRAWN])
    assert np.log(storeys).std() > 0.1
    for share, low, high in ((0.7, 2.3, 2.8), (0.2, 2.8, 3.7), (0.1, 1.9, 2.3)):
        assert ((storeys > low) & (storeys < high)).mean() == pytest.approx(share, abs=0.05)


def test_counters_have_a_second_mode_at_the_height_of_a_bar():
    counters = np.array([sizes.counter for sizes in DRAWN])
    assert (counters > 0.97).mean() == pytest.approx(0.12, abs=0.03)
    assert np.log(counters[counters < 0.97]).std() == pytest.approx(0.03, rel=0.1)


def test_rooms_of_a_storey_share_their_ceiling_but_for_some():
    sizes, rng = draw_sizes(np.random.default_rng(3)), np.random.default_rng(0)
    ceilings = np.array(draw_ceilings(rng, sizes, 2000))
    assert (ceilings == sizes.storey).mean() == pytest.approx(0.88, abs=0.03)
    assert ceilings.min() > sizes.door
    with pytest.raises(ValueError, match="draw_sizes"):
        draw_ceilings(rng, USUAL, 3)


def top_of(piece_of: Sizes, label: SemanticClass) -> float:
    builders = {
        SemanticClass.CHAIR: (chair, piece_of.chair),
        SemanticClass.SOFA: (sofa, piece_of.sofa),
        SemanticClass.BED: (double_bed, piece_of.bed),
    }
    build, height = builders[label]
    piece = next(p for p in build(np.random.default_rng(0), piece_of).things if p.label == label)
    tops = np.array([sheet.vertices[..., 2].max() for sheet, _ in piece.parts])
    return float(np.abs(tops - height).min())


@pytest.mark.parametrize("label", [SemanticClass.CHAIR, SemanticClass.SOFA, SemanticClass.BED])
def test_seats_and_beds_are_as_high_as_their_house_says(label: SemanticClass):
    for sizes in (USUAL, *DRAWN[:10]):
        assert top_of(sizes, label) < 1e-9


def test_tables_desks_and_counters_are_as_high_as_their_house_says():
    for sizes in DRAWN[:10]:
        for build, height in ((dining_set, sizes.table), (desk, sizes.desk)):
            things = build(np.random.default_rng(1), sizes).things
            assert next(p for p in things if p.label == SemanticClass.TABLE).bounds()[1, 2] == pytest.approx(height)
        assert kitchen_row(np.random.default_rng(1), sizes).things[1].bounds()[1, 2] == pytest.approx(sizes.counter)


def test_tall_furniture_stays_under_a_low_ceiling():
    low = USUAL.under(1.95)
    assert all(build(np.random.default_rng(0), low).height <= 1.95 for build in (wardrobe, bookshelf, kitchen_row))


def test_a_share_of_the_pieces_is_much_higher_or_lower_than_its_kind():
    rng, sizes = np.random.default_rng(0), Sizes(odd=0.25)
    factors = np.array([sizes.of_a_piece(1.0, rng) for _ in range(2000)])
    assert (factors != 1).mean() == pytest.approx(0.25, abs=0.03)
    assert (np.abs(np.log(factors[factors != 1])) > 0.15).all()


def house_of(seed: int) -> House:
    return build_house(np.random.default_rng(seed), VARIED)


def test_doors_of_a_house_are_alike_and_windows_end_below_the_ceiling():
    for seed in range(4):
        house, holes = house_of(seed), []
        for room in house.rooms:
            holes += [(hole.kind, hole.top) for hole in room.openings]
            assert all(hole.top < room.ceiling_height - 0.09 for hole in room.openings)
            inside = [
                b
                for b in (p.bounds() for p in house.things if p.label != SemanticClass.UNKNOWN)
                if (b[0, :2] > np.array(room.bounds[:2]) - 0.01).all()
                and (b[1, :2] < np.array(room.bounds[2:]) + 0.01).all()
            ]
            assert max(b[1, 2] for b in inside) <= room.ceiling_height + 1e-6
        assert len({top for kind, top in holes if kind == "doorway"}) == 1


def test_heights_change_nothing_else_of_the_plan():
    plain = build_house(np.random.default_rng(2), TourSettings(rooms_max=4))
    assert [room.bounds for room in house_of(2).rooms] == [room.bounds for room in plain.rooms]
