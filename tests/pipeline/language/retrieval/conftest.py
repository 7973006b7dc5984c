"""What one frame of the small tour can be asked for, shared by the tests of this folder."""

import shutil

import numpy as np
import pytest

from pipeline.language.retrieval.benchmark import Benchmark, stack
from pipeline.language.retrieval.tour_queries import frame_queries
from pipeline.stages.base import Workbench
from pipeline.store.store import Store
from pipeline.tours.tour import Tour
from pipeline.tours.truth import tour_of


@pytest.fixture(scope="package")
def tour(spoken_tour: Workbench) -> Tour:
    found = tour_of(spoken_tour.video)
    assert found is not None
    return found


@pytest.fixture(scope="package")
def benchmark(spoken_tour: Workbench, tour: Tour) -> Benchmark:
    """All queries about one frame of the small tour, which is none for scores."""
    frames = registered_frames(spoken_tour)
    found = frame_queries(tour, spoken_tour.video.video_id, frames, len(frames) // 2, spoken_tour.settings)
    return stack(list(found))


def registered_frames(workbench: Workbench) -> np.ndarray:
    return workbench.video.read("frames", "frame_index")[workbench.video.read("scene", "registered")]


@pytest.fixture(scope="package")
def scored_store(spoken_tour: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The tour passes for one for scores whose room is filmed at the same time."""
    folder = tmp_path_factory.mktemp("scored") / "data"
    shutil.copytree(spoken_tour.video.files.root, folder)
    video = Store(folder).video(spoken_tour.video.video_id)
    video.write_json("source.json", {**video.read_json("source.json"), "origin": "tour://1000006"})
    return Store(folder)
