"""A dataset as release 0.1 wrote it, with settings under their old names, goes on as if nothing had moved."""

import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import zarr

from assets.resources import PipelineResource
from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.dataset.index import build_dataset
from pipeline.quality import tour_quality
from pipeline.settings import Settings, load_settings, resolve
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.stages.base import Workbench
from pipeline.stages.registry import stages
from pipeline.stages.run import is_built, process_video
from pipeline.store.index import read_summary
from pipeline.store.store import Store
from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset
from training.data import StoredFrames
from training.runs import finetune
from training.settings import FinetuneSettings, LoopSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpack_earlier_dataset(tmp_path).parent


@pytest.fixture
def store(folder: Path) -> Store:
    return Store(folder / "data")


@pytest.fixture
def settings(folder: Path) -> Settings:
    with pytest.warns(FutureWarning, match="'download' are now called 'video'") as warned:
        found = load_settings("small", folder / "settings.yaml")
    assert len({str(warning.message) for warning in warned}) == 5, "one for every old name in the file"
    return found


def test_no_stage_is_made_again(store: Store, settings: Settings):
    workbench = Workbench(store.video(VIDEO), Catalog(store), settings)
    reports = list(process_video(workbench))
    assert [report.provenance.stage for report in reports] == list(stages())
    assert all(report.reused for report in reports)


def test_its_grids_are_made_again_where_that_is_asked(folder: Path, store: Store, settings: Settings):
    video = store.video(VIDEO)
    grids = settings.occupancy.of_points().model_copy(update={"earlier_grids": "remake"})
    before = video.read("occupancy", "labels"), video.read("occupancy", "class_counts")
    asked = settings.model_copy(update={"occupancy": grids})
    assert not is_built(video, asked)
    reports = list(process_video(Workbench(video, Catalog(store), asked)))
    assert [report.provenance.stage for report in reports if not report.reused] == ["occupancy"]
    after = video.read("occupancy", "labels"), video.read("occupancy", "class_counts")
    assert np.array_equal(after[0], before[0]), "all its pixels have labels"
    assert (before[1].shape, after[1].shape) == ((FRAMES, 13), (FRAMES, 14))
    assert np.array_equal(np.delete(after[1], SemanticClass.UNNAMED, axis=1), before[1])
    assert is_built(video, settings.model_copy(update={"occupancy": settings.occupancy.of_points()})), "both stand"
    build_dataset(store, settings.dataset)
    index = pq.read_table(folder / "data" / "dataset" / "index.parquet")
    assert index["voxels_unnamed"].to_pylist() == [0] * FRAMES


def test_the_index_is_the_same_version_and_nothing_is_missing(folder: Path, store: Store, settings: Settings):
    before, index = read_summary(store), (folder / "data" / "dataset" / "index.parquet").read_bytes()
    assert build_dataset(store, settings.dataset) == before
    assert (folder / "data" / "dataset" / "index.parquet").read_bytes() == index
    resource = PipelineResource(
        data=str(folder / "data"), profile="small", settings_file=str(folder / "settings.yaml"), sources="tour://5"
    )
    with warnings.catch_warnings(record=True):
        assert list(resource.missing()) == []
        assert list(resource.model_copy(update={"profile": "classic"}).missing()) == [VIDEO]


def test_its_own_settings_hold_where_nobody_says_otherwise(folder: Path, store: Store, settings: Settings):
    found = resolve(dataset=store)
    assert (found.settings.profile, found.settings.scene.scale) == ("small", "paper"), "as it was then"
    then = settings.model_copy(update={"occupancy": settings.occupancy.of_points()})
    for name in stages():
        assert getattr(found.settings, name).decisive() == getattr(then, name).decisive()
    assert found.origin("clips.frames_per_second") == f"the dataset, as {VIDEO} was made"
    resource = PipelineResource(data=str(folder / "data"), sources="tour://5")
    assert list(resource.missing()) == []


def test_the_catalog_knows_its_video(store: Store):
    row = Catalog(store).row(VIDEO)
    assert (row.source.kind, row.source.seed, row.source.listed_by) == ("tour", 5, "")
    assert row.state is VideoState.FETCHED


def test_it_is_scored_as_before(store: Store, settings: Settings):
    video = store.video(VIDEO)
    before = video.read_json("quality.json")
    video.remove("quality.json")
    (scores,) = tour_quality(store, [VIDEO], settings).tours
    after = scores.model_dump(mode="json")
    (clip_before,), (clip_after,) = before.pop("clips"), after.pop("clips")
    assert after == before
    assert clip_after.pop("video_id") == clip_before.pop("video_id")
    assert {name: clip_after[name] for name in clip_before} == pytest.approx(clip_before, rel=1e-5)
    assert set(clip_after) - set(clip_before) == {"probability_right", "rotation_most"}, "which it did not know"


def test_every_array_opens_with_plain_zarr(folder: Path):
    scene = zarr.open_group(folder / "data" / "videos" / VIDEO / "scene.zarr", mode="r")
    n = scene["frames/rgb"].shape[0]
    assert scene["frames/rgb"].shape == (n, 480, 640, 3)
    labels = np.asarray(scene["occupancy/labels"])
    assert labels.shape == (n, 60, 60, 36)
    assert np.isin(labels, OCCUPIED_CLASSES).any(axis=(1, 2, 3)).all()


def test_a_network_learns_from_it(store: Store, tmp_path: Path):
    frames = StoredFrames(store, "train")
    assert len(frames) == FRAMES
    settings = FinetuneSettings(loop=LoopSettings(steps=2, workers=0, accelerator="cpu"))
    made = finetune(frames, "tiny", None, settings, tmp_path / "network")
    assert made.steps == 2
    assert made.data == f"dataset {frames.version}, split train, 100% of the labels (seed 0)"
