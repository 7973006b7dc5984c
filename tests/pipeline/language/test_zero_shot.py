from pathlib import Path

import numpy as np
import pytest
import zarr

from pipeline.contract.errors import NoEmbeddings, UnusableQuery
from pipeline.language.text import SanText
from pipeline.language.voxels import language_grid
from pipeline.language.zero_shot import NO_PROMPT, label_dataset, zero_shot_labels
from pipeline.stages.base import Workbench


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


def test_what_a_killed_run_left_is_replaced_and_earlier_labels_stay_until_then(
    spoken_tour: Workbench, text: SanText, tmp_path: Path
):
    video_id = spoken_tour.video.video_id
    (tmp_path / f".{video_id}.part" / "labels").mkdir(parents=True)
    (tmp_path / f".{video_id}.part" / "labels" / "zarr.json").write_text("{half")
    label_dataset(spoken_tour.video.files, text, ["a bed"], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{video_id}.zarr"]
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
    (tmp_path / f".{spoken_tour.video.video_id}.part").write_text("a file where the draft's folder would be")
    with pytest.raises(OSError, match="exists"):
        label_dataset(spoken_tour.video.files, text, ["a lamp", "a wall"], tmp_path)
    after = zarr.open_group(tmp_path / f"{spoken_tour.video.video_id}.zarr", mode="r")
    assert after.attrs["prompts"] == ["a bed"]
    np.testing.assert_array_equal(after["labels"][:], before)
