from collections import Counter

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import BrokenRetrievalSet
from pipeline.geometry.voxels import voxelize_frame
from pipeline.language.retrieval import tour_benchmark
from pipeline.language.retrieval.benchmark import Benchmark, RetrievalQuery
from pipeline.language.retrieval.tour_queries import select
from pipeline.settings import load_settings
from pipeline.stages.base import Workbench
from pipeline.store.store import Store
from pipeline.tours.tour import Tour
from pipeline.tours.truth import true_clip

from .conftest import registered_frames


def test_masks_are_those_of_the_true_grid(benchmark: Benchmark, spoken_tour: Workbench, tour: Tour):
    frames = registered_frames(spoken_tour)
    truth = true_clip(tour, frames)
    grid = voxelize_frame(truth.scene, truth.semantics, len(frames) // 2, spoken_tour.settings.occupancy.of_points())
    by_text = dict(zip((query.text for query in benchmark.queries), benchmark.mask, strict=True))
    assert set(benchmark.mask.any(axis=(1, 2, 3))) == {True}
    assert (benchmark.mask < benchmark.occupied).any(axis=(1, 2, 3)).all(), "something else is there to tell it from"
    for text, label in (("a floor", SemanticClass.FLOOR), ("a wall", SemanticClass.WALL)):
        true = grid.labels == label
        # A voxel of two classes and several things may go to either: the class with most points, or the thing.
        assert (by_text[text] & true).sum() > 0.97 * (by_text[text] | true).sum()
    assert (benchmark.mask <= benchmark.occupied).all()
    assert (benchmark.visible <= benchmark.occupied).all()
    assert (benchmark.visible < benchmark.occupied).any()
    corner = np.linalg.inv(benchmark.grid_from_camera[0])
    assert corner[:3, :3] @ corner[:3, :3].T == pytest.approx(np.eye(3), abs=1e-6)


def test_different_texts_come_before_the_same_again_and_all_kinds_alike():
    def asked(text: str, kind: str) -> RetrievalQuery:
        return RetrievalQuery.model_validate(
            {"text": text, "video_id": "v", "frame_index": 0, "split": "test", "kind": kind}
        )

    queries = [asked("a chair", "class")] * 8 + [asked("a bed", "class"), asked("a sofa", "class")]
    queries += [asked("a red sofa", "look")] * 3 + [
        asked("a blue sofa", "look"),
        asked("a bed next to a sofa", "place"),
    ]
    rows = select(queries, 6, seed=1)
    texts = [queries[row].text for row in rows]
    assert Counter(queries[row].kind for row in rows) == {"class": 3, "look": 2, "place": 1}
    assert len(set(texts)) == 6
    assert rows == select(queries, 6, seed=1) == sorted(rows)
    assert select(queries, 100, seed=1) == list(range(15))


def test_tours_to_train_on_make_no_benchmark(spoken_tour: Workbench):
    with pytest.raises(BrokenRetrievalSet, match="seeds from 1000000 on"):
        tour_benchmark(spoken_tour.video.files, spoken_tour.settings)


def test_tours_for_scores_are_asked_about_with_the_settings_they_were_rendered_with(
    spoken_tour: Workbench, scored_store: Store
):
    told: list[tuple[str, float, float]] = []
    made = tour_benchmark(scored_store, spoken_tour.settings, count=5, progress=lambda *said: told.append(said[:3]))
    videos = len(scored_store.video_ids())
    assert told == [("queries", done, videos) for done in range(videos + 1)]
    assert len({query.text for query in made.queries}) == 5
    assert {query.split for query in made.queries} == {"test"}
    again = tour_benchmark(scored_store, load_settings("youtube_occ"), count=5)
    assert again.queries == made.queries, "the truth is that of the video, whatever tours are asked for today"
