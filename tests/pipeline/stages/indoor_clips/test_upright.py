"""A film on its side or upside down is told by all of its clips together, and by no upright one."""

import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.contract.errors import NoIndoorClip
from pipeline.contract.records import IndoorScore
from pipeline.stages.indoor_clips.imagenet import ImageNetFilter
from pipeline.stages.indoor_clips.rows import indoor_scores, write_indoor_scores
from pipeline.stages.indoor_clips.stage import _scored_by, indoor_clips
from pipeline.stages.indoor_clips.upright import turned_by, turned_evidence
from pipeline.store.groups import CLIPS
from pipeline.store.video import VideoStore
from pipeline.tours.views.shots import tour_shots
from tests.pipeline.stages.filling import filled, workbench_of


@pytest.fixture(scope="module")
def rooms() -> list[Images]:
    """Two frames of every shot of a house that was not among those by which the bounds were chosen."""
    shots = tour_shots(970101, 2, 240, 320, garden=False)
    return [shot.views.pictures.permute(0, 2, 3, 1).contiguous().numpy() for shot in shots]


@pytest.mark.parametrize(("quarters", "degrees"), [(0, None), (1, 270), (2, 180), (3, 90)])
def test_a_film_turned_by_quarters_is_told_and_how_far(rooms: list[Images], quarters: int, degrees: int | None):
    backend = ImageNetFilter()
    scores = [backend.score(np.ascontiguousarray(np.rot90(rgb, quarters, axes=(1, 2)))) for rgb in rooms]
    found = turned_by(scores)
    assert (found and found[0]) == degrees


def test_only_the_square_in_the_middle_is_compared():
    """Else a wide picture would show other things once it is turned."""
    seen: list[Images] = []

    def listen(rgb: Images) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        seen.append(rgb)
        return np.full((len(rgb), 1000), 1e-3)

    wide = np.random.default_rng(0).integers(0, 256, (2, 30, 50, 3), np.uint8)
    assert turned_evidence(wide, listen) == (0, 0, 0), "what looks the same says nothing"
    assert [rgb.shape for rgb in seen] == [(2, 30, 30, 3)] * 4
    assert np.array_equal(seen[0], wide[:, :, 10:40])
    assert np.array_equal(seen[2], seen[0][:, ::-1, ::-1])


def says(*evidence: tuple[float, float, float]) -> tuple[int, float] | None:
    return turned_by([IndoorScore(1, turned=each) for each in evidence])


def test_one_clip_has_to_be_surer_than_several():
    assert says((0, 1.9, 0)) is None
    assert says((0, 2.1, 0)) == (180, 2.1)
    assert says((0, 2.1, 0), (0, -0.2, 0)) is None
    assert says((0, 1.2, 0), (0, 0.9, 0)) == pytest.approx((180, 1.05))
    assert says((0, 0.8, 0), (0, 0.6, 0), (0, 0.7, 0)) is None
    assert turned_by([IndoorScore(1), IndoorScore(1)]) is None, "nobody told"
    assert turned_by([]) is None


def test_a_quarter_turn_needs_more_since_patterns_speak_for_it():
    assert says((3.7, 0, -2)) is None
    assert says(*[(1.2, 0, -2)] * 9) is None
    assert says(*[(-1, 0, 1.4)] * 4) == pytest.approx((270, 1.4))
    assert says(*[(1.4, 0, -1)] * 4) == pytest.approx((90, 1.4))
    assert says(*[(1.0, 0, 1.8)] * 4) is None, "stripes that run the other way speak for both quarters"


def left_so(video: VideoStore, *scores: IndoorScore) -> None:
    settings = workbench_of(video).settings.of(indoor_clips)
    write_indoor_scores(video, scores, _scored_by(video, settings))


def test_a_turned_film_is_left_out_by_name_and_says_what_to_do(own_room: VideoStore):
    before = own_room.read("frames", "rgb")
    left_so(own_room, IndoorScore(0.9, turned=(-1, 2, 0)), IndoorScore(0.8, turned=(-1, 1, 0)))
    with pytest.raises(NoIndoorClip, match=r"turned 180 degrees .* 1\.5 in the mean of 2 .* turn the file") as ended:
        filled(indoor_clips, workbench_of(own_room))
    assert [(item.clip_id, item.code) for item in ended.value.left_out] == [(0, "Turned"), (1, "Turned")]
    assert np.array_equal(own_room.read("frames", "rgb"), before), "the earlier result stays"
    kept = filled(indoor_clips, workbench_of(own_room, indoor_clips={"leave_out_turned": False}))
    assert kept.counts["clips"] == 2, "whoever knows better keeps it, without asking the network again"


def test_gardens_do_not_vote(own_room: VideoStore):
    left_so(own_room, IndoorScore(0.9, turned=(0, 0, 0)), IndoorScore(0.1, turned=(0, 9, 0)))
    assert filled(indoor_clips, workbench_of(own_room)).counts["clips"] == 1


def test_scores_of_an_earlier_release_say_nothing_of_turns(own_room: VideoStore):
    left_so(own_room, IndoorScore(0.9, turned=(0, 9, 0)), IndoorScore(0.8, turned=(0, 9, 0)))
    assert [score.turned for score in indoor_scores(own_room)] == [(0, 9, 0), (0, 9, 0)]
    own_room.write_table(CLIPS, own_room.read_table(CLIPS).drop_columns(["turned"]))
    assert [score.turned for score in indoor_scores(own_room)] == [(), ()]
    assert filled(indoor_clips, workbench_of(own_room)).counts["clips"] == 2
