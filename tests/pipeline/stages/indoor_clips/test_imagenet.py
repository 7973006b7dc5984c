import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.arrays import Images
from pipeline.media import read_each
from pipeline.stages.indoor_clips.imagenet import ImageNetFilter, padded
from pipeline.stages.indoor_clips.settings import ImageNetIndoorSettings, IndoorClipsSettings
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from tests.paths import ROOT

SHARED = ROOT.parent / "shared"
THRESHOLD = IndoorClipsSettings().threshold
INDOORS = ("tum_cabinet", "hololens_office_b", "icl_livingroom1", "vggt_room", "realestate10k_clips")
OUTDOORS = ("Colosseum", "great_wall", "house", "parkour", "pyramid", "valley")


@pytest.fixture(scope="module")
def indoor_filter() -> ImageNetFilter:
    return ImageNetFilter()


@pytest.fixture(scope="module")
def shots() -> list[tuple[str, Images]]:
    """Two frames of every shot of a tour."""
    tour = Tour.from_seed(13, TourSettings(fps=4, shot_seconds=2, indoor_shots=2, texel=0.03))
    return [
        (shot.kind, np.stack([tour.picture(f) for f in (shot.start_frame, shot.end_frame - 1)])) for shot in tour.shots
    ]


def test_rooms_are_kept_and_gardens_and_title_cards_are_not(
    indoor_filter: ImageNetFilter, shots: list[tuple[str, Images]]
):
    scores = [(kind, indoor_filter.score(rgb).indoor) for kind, rgb in shots]
    assert {kind for kind, _ in scores} == {"title", "outdoor", "indoor"}
    assert all((kind == "indoor") == (score >= THRESHOLD) for kind, score in scores), scores


@pytest.mark.parametrize("degrees", [-20, 20])
def test_a_rolled_camera_is_indoors_all_the_same(
    indoor_filter: ImageNetFilter, shots: list[tuple[str, Images]], degrees: float
):
    """Upright edges are few then, of which a rule on edges lives."""
    room = next(rgb for kind, rgb in shots if kind == "indoor")
    turn = cv2.getRotationMatrix2D((320, 240), degrees, 1.4)
    rolled = np.stack([cv2.warpAffine(frame, turn, (640, 480)) for frame in room])
    assert indoor_filter.score(rolled).indoor >= THRESHOLD


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_is_no_room(indoor_filter: ImageNetFilter, level: int):
    assert indoor_filter.score(np.full((1, 480, 640, 3), level, np.uint8)).indoor < THRESHOLD


def test_what_was_seen_is_named_and_the_balance_is_where_the_probability_is_a_half(shots: list[tuple[str, Images]]):
    garden = next(rgb for kind, rgb in shots if kind == "outdoor")
    seen = ImageNetFilter().score(garden)
    assert len(seen.categories) == 5
    at = ImageNetFilter(ImageNetIndoorSettings(balance=seen.evidence["log ratio"])).score(garden)
    assert at.indoor == pytest.approx(0.5)


def test_a_person_who_fills_the_picture_is_told_and_a_small_one_is_not(
    indoor_filter: ImageNetFilter, shots: list[tuple[str, Images]]
):
    room = next(rgb for kind, rgb in shots if kind == "indoor")
    with get_sample_data("grace_hopper.jpg") as file:
        officer = np.array(Image.open(file).convert("RGB"))
    scores = [indoor_filter.score(_before(room, officer, height)) for height in (380, 100)]
    assert [bool(score.people) for score in scores] == [True, False]
    assert re.fullmatch(
        r"people fill the picture: what they wear has a probability of 0\.\d\d > 0\.12", scores[0].people
    )
    assert "suit" not in [category.name for category in scores[0].categories], "what people wear is no kind of scene"


def test_no_rendered_room_is_filled_by_people(indoor_filter: ImageNetFilter, shots: list[tuple[str, Images]]):
    assert not any(indoor_filter.score(rgb).people for _, rgb in shots)


def _before(room: Images, person: NDArray[np.uint8], height: int) -> Images:
    """Frames of a room with a person in front of it, at the lower edge."""
    width = round(height * person.shape[1] / person.shape[0])
    shown = room.copy()
    shown[:, -height:, 150 : 150 + width] = cv2.resize(person, (width, height), interpolation=cv2.INTER_AREA)
    return shown


@pytest.mark.skipif(not SHARED.is_dir(), reason="real clips are not here")
def test_real_rooms_are_indoors_and_real_places_outdoors_are_not(indoor_filter: ImageNetFilter):
    films = [(True, path) for folder in INDOORS for path in sorted((SHARED / "data" / folder).glob("*.mp4"))]
    films += [(False, SHARED / "data/outdoor_and_mixed" / f"{name}.mp4") for name in OUTDOORS]
    assert len(films) == 17
    scores = [(inside, path.name, indoor_filter.score(_first(path))) for inside, path in films]
    assert not [name for inside, name, score in scores if (score.indoor >= THRESHOLD) != inside]
    assert not [name for inside, name, score in scores if inside and score.people]


def _first(path: Path) -> Images:
    """Three of the first frames; the shortest film has five."""
    return next(iter(read_each(path, [np.arange(0, 5, 2)])))


def test_upright_pictures_are_seen_whole_and_in_shape():
    tall = np.random.default_rng(0).integers(1, 256, (2, 48, 27, 3), np.uint8)
    square = padded(tall)
    assert square.shape == (2, 48, 48, 3)
    assert np.array_equal(square[:, :, 10:37], tall)
    assert not square[:, :, :10].any()
    assert not square[:, :, 37:].any()
    wide = np.ascontiguousarray(tall.swapaxes(1, 2))
    assert np.array_equal(padded(wide), wide)
