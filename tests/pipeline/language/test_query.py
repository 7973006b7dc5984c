from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.arrays import Floats
from pipeline.contract.errors import NoEmbeddings, UnusableQuery
from pipeline.contract.grid import VOXEL_SIZE
from pipeline.language.index import open_index
from pipeline.language.query import FrameHeat, FrameHit, ask, best_frames, frame_heat
from pipeline.language.text import SanText
from pipeline.language.voxels import language_grid
from pipeline.stages.base import Workbench
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

QUERY = "a wooden bookshelf"


def test_the_best_frames_hold_the_best_regions(spoken_tour: Workbench, text: SanText):
    video = spoken_tour.video
    answer = ask(video.files, text, QUERY, 3)
    scores = video.read("semantics", "region_embeddings").astype(np.float32) @ text.embed([QUERY])[0]
    offsets = video.read("semantics", "region_offset")
    frames = [rows.max() for rows in np.split(scores, offsets[1:]) if len(rows)]
    assert [heat.hit.score for heat in answer.frames] == pytest.approx(sorted(frames, reverse=True)[:3], abs=1e-6)
    for heat in answer.frames:
        assert np.nanmax(heat.heat.pixels) == pytest.approx(heat.hit.score, abs=1e-6)
        assert _lies_within_its_regions(video, heat, text.embed([QUERY])[0])


def _lies_within_its_regions(video: VideoStore, heat: FrameHeat, vector: Floats) -> bool:
    """A voxel speaks with the regions of its clip, also with those that other frames see: it says no more than they."""
    grid = language_grid(video, heat.hit.row)
    regions = video.read("semantics", "region_embeddings", grid.regions).astype(np.float32) @ vector
    return bool(
        np.nanmax(heat.heat.voxels) <= regions.max() + 1e-6 and np.nanmin(heat.heat.voxels) >= regions.min() - 1e-6
    )


def test_the_best_voxels_come_once_and_in_order(spoken_tour: Workbench, text: SanText):
    answer = ask(spoken_tour.video.files, text, QUERY, 10)
    scores = [hit.score for hit in answer.voxels]
    assert len(scores) == 10
    assert scores == sorted(scores, reverse=True)
    assert max(scores) == pytest.approx(max(float(np.nanmax(heat.heat.voxels)) for heat in answer.frames), abs=1e-6)
    assert len({(hit.video_id, hit.centre) for hit in answer.voxels}) == 10


def test_every_frame_comes_at_most_once_however_many_are_asked(spoken_tour: Workbench, text: SanText):
    answer = ask(spoken_tour.video.files, text, QUERY, 1000)
    rows = [heat.hit.row for heat in answer.frames]
    offsets = [*spoken_tour.video.read("semantics", "region_offset").tolist()]
    total = len(spoken_tour.video.read("semantics", "region_embeddings"))
    assert sorted(rows) == [
        row for row, ends in enumerate(zip(offsets, [*offsets[1:], total], strict=True)) if ends[1] > ends[0]
    ]


def test_a_dataset_or_video_without_embeddings_names_the_stage(
    built_tour: Workbench, spoken_tour: Workbench, text: SanText
):
    with pytest.raises(NoEmbeddings, match="stage 'semantics'"):
        ask(built_tour.video.files, text, QUERY, 3)
    with pytest.raises(NoEmbeddings, match=r"elsewhere.*backend san"):
        ask(spoken_tour.video.files, text, QUERY, 3, "elsewhere")


@pytest.mark.parametrize("top", [1, 4, 7])
def test_frames_are_those_with_the_best_regions_however_few_the_index_is_asked_for(
    spoken_tour: Workbench, text: SanText, top: int
):
    store, vector = spoken_tour.video.files, text.embed([QUERY])[0]
    index = open_index(store, text)
    few = best_frames(store, index, vector, top)
    everything = best_frames(store, index, vector, 1000)
    assert few == everything[:top]
    assert [hit.score for hit in everything] == sorted((hit.score for hit in everything), reverse=True)
    assert best_frames(store, index, vector, top, spoken_tour.video.video_id) == few


def test_pixels_in_no_region_have_no_score(spoken_tour: Workbench, text: SanText):
    video, vector = spoken_tour.video, text.embed([QUERY])[0]
    heat = frame_heat(video, FrameHit(video.video_id, 0, 0.0), vector).heat
    regions = video.read("semantics", "regions", slice(0, 1))[0]
    assert np.array_equal(np.isnan(heat.pixels), regions == 0)
    embeddings = video.read("semantics", "region_embeddings").astype(np.float32)
    first = int(video.read("semantics", "region_offset")[0])
    inside = regions > 0
    expected = (embeddings @ vector)[first + regions[inside].astype(int) - 1]
    np.testing.assert_allclose(heat.pixels[inside], expected, atol=1e-6)


def test_words_that_cannot_be_compared_are_refused_before_any_index_is_made(tmp_path: Path, text: SanText):
    with pytest.raises(UnusableQuery, match="holds no word"):
        ask(Store(tmp_path / "nothing"), text, "?!", 3)
    assert not (tmp_path / "nothing").exists()


def test_centres_of_the_best_voxels_are_those_of_their_index_in_the_clips_world(spoken_tour: Workbench, text: SanText):
    video = spoken_tour.video
    for hit in ask(video.files, text, QUERY, 5).voxels:
        origin, to_grid = (
            video.read("occupancy", name)[hit.row].astype(float) for name in ("origin", "grid_from_world")
        )
        in_grid = to_grid[:3, :3] @ hit.centre + to_grid[:3, 3]
        np.testing.assert_allclose((in_grid - origin) / VOXEL_SIZE - 0.5, hit.voxel, atol=1e-4)
