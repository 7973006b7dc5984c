from pathlib import Path

import numpy as np
import pytest
import zarr

from pipeline.contract.errors import DiskFull, NoEmbeddings, SettingsError, UnusableQuery
from pipeline.language.text import SanText
from pipeline.language.voxels import language_grid
from pipeline.language.zero_shot import NO_PROMPT, label_dataset, zero_shot_labels
from pipeline.stages.base import Workbench
from tests.foreign import contents, foreign_folder, lost
from tests.pipeline.small_files import files_limited_to


def test_a_list_of_prompts_labels_every_voxel(spoken_tour: Workbench, text: SanText, tmp_path: Path):
    video, prompts = spoken_tour.video, ["a bed", "a white wall", "wooden floor"]
    counts = label_dataset(video.files, text, prompts, tmp_path)
    labels = zarr.open_group(tmp_path / f"{video.video_id}.zarr", mode="r")["labels"][:]
    assert labels.shape == video.read("occupancy", "labels").shape
    assert np.bincount(labels.ravel(), minlength=4)[1:].tolist() == counts.voxels.tolist()
    assert (labels > 0).sum() == (video.read("language", "region_of_voxel") > 0).sum()
    alone = label_dataset(video.files, text, prompts[:1], tmp_path, video.video_id)
    assert zarr.open_group(tmp_path / f"{video.video_id}.zarr", mode="r").attrs["prompts"] == prompts[:1]
    assert alone.voxels.tolist() == [counts.voxels.sum()]


def test_a_voxel_takes_the_prompt_nearest_to_its_mean_embedding(spoken_tour: Workbench, text: SanText):
    video, vectors = spoken_tour.video, text.embed(["a bed", "a white wall", "wooden floor"])
    labels = list(zero_shot_labels(video, vectors))
    assert len(labels) == len(video.read("frames", "clip_id"))
    grid = language_grid(video, 2)
    means = grid.mean_embeddings(video.read("semantics", "region_embeddings", grid.regions))
    held = grid.voxel >= 0
    np.testing.assert_array_equal(labels[2][held], (means @ vectors.T).argmax(axis=1)[grid.voxel[held]] + 1)
    assert (labels[2][~held] == NO_PROMPT).all()


def test_foreign_files_around_labels_stay_and_those_in_their_place_stop_it(
    spoken_tour: Workbench, text: SanText, tmp_path: Path
):
    video_id = spoken_tour.video.video_id
    before = foreign_folder(tmp_path, f".{video_id}.part/", "other.zarr/")
    for prompt in ("a bed", "a lamp"):
        label_dataset(spoken_tour.video.files, text, [prompt], tmp_path)
    assert lost(before, tmp_path) == []
    (tmp_path / f"{video_id}.zarr" / "labels" / "notes.txt").write_text("a document")
    within = contents(tmp_path / f"{video_id}.zarr")
    (tmp_path / "new" / f"{video_id}.zarr").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "new"):
        with pytest.raises(SettingsError, match="name another folder"):
            label_dataset(spoken_tour.video.files, text, ["a wall"], folder)
    assert contents(tmp_path / f"{video_id}.zarr") == within


def test_labels_of_an_earlier_run_are_replaced_whole(spoken_tour: Workbench, text: SanText, tmp_path: Path):
    video_id = spoken_tour.video.video_id
    for prompts in (["a lamp", "a wall"], ["a bed"]):
        label_dataset(spoken_tour.video.files, text, prompts, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{video_id}.zarr"]
    written = zarr.open_group(tmp_path / f"{video_id}.zarr", mode="r")
    assert written.attrs["weights"] == dict(text.weights)
    assert written["labels"].dtype == np.uint16


def test_bad_prompts_leave_nothing_behind(spoken_tour: Workbench, text: SanText, tmp_path: Path):
    for prompts in ([], ["bed", "a bed"], ["???"]):
        with pytest.raises(UnusableQuery):
            label_dataset(spoken_tour.video.files, text, prompts, tmp_path / "labels")
    with pytest.raises(NoEmbeddings, match="elsewhere"):
        label_dataset(spoken_tour.video.files, text, ["a bed"], tmp_path / "labels", "elsewhere")
    assert not (tmp_path / "labels").exists()


def test_a_full_disk_leaves_the_earlier_labels(spoken_tour: Workbench, text: SanText, tmp_path: Path):
    label_dataset(spoken_tour.video.files, text, ["a bed"], tmp_path)
    before = zarr.open_group(tmp_path / f"{spoken_tour.video.video_id}.zarr", mode="r")["labels"][:]
    with files_limited_to(100), pytest.raises(DiskFull):
        label_dataset(spoken_tour.video.files, text, ["a lamp", "a wall"], tmp_path)
    after = zarr.open_group(tmp_path / f"{spoken_tour.video.video_id}.zarr", mode="r")
    assert after.attrs["prompts"] == ["a bed"]
    np.testing.assert_array_equal(after["labels"][:], before)
