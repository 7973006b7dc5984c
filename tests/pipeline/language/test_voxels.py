import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.camera import pointmap
from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.errors import CorruptStore, NoEmbeddings
from pipeline.contract.grid import GRID_SHAPE, voxel_index
from pipeline.language.voxels import ensure_language, language_grid
from pipeline.stages.base import Workbench
from pipeline.store.groups import LANGUAGE
from pipeline.store.rows import read_labels
from pipeline.store.store import Store


def test_a_voxel_speaks_with_the_mean_of_its_points(spoken_tour: Workbench):
    video = spoken_tour.video
    ensure_language(video)
    row = int(np.flatnonzero(video.read("scene", "registered"))[1])
    grid = language_grid(video, row)
    embeddings = video.read("semantics", "region_embeddings").astype(np.float32)
    sums, points = np.zeros((*GRID_SHAPE, embeddings.shape[1])), np.zeros(GRID_SHAPE, np.int64)
    to_grid, origin = (video.read("occupancy", name)[row] for name in ("grid_from_world", "origin"))
    clip = np.flatnonzero(video.read("frames", "clip_id") == video.read("frames", "clip_id")[row])
    offsets, regions = video.read("semantics", "region_offset"), video.read("semantics", "regions")
    names = ("depth", "intrinsics", "camera_to_world", "registered")
    scene = {name: video.read("scene", name) for name in names}
    moving = read_labels(video, slice(0, len(regions))).moving
    assert moving is not None
    for other in clip[scene["registered"][clip]]:
        world = to_grid @ scene["camera_to_world"][other]
        index = voxel_index(pointmap(scene["depth"][other], scene["intrinsics"][other], world), origin)
        chosen = (scene["depth"][other] > 0) & (regions[other] > 0) & ~moving[other]
        chosen &= ((index >= 0) & (index < GRID_SHAPE)).all(axis=-1)
        place = tuple(index[chosen].T)
        np.add.at(sums, place, embeddings[offsets[other] + regions[other][chosen] - 1])
        np.add.at(points, place, 1)
    held, labels = grid.voxel >= 0, video.read("occupancy", "labels")[row]
    named = np.isin(labels, OCCUPIED_CLASSES)
    assert held[named].mean() > 0.99, "those that rays fill beside a point, too"
    assert not held[labels == SemanticClass.EMPTY].any()
    # A point on the border of two voxels may fall to either side of it, in the world or in the grid.
    with_points = (points > 0) & (labels != SemanticClass.EMPTY)
    assert (held == with_points)[~named].mean() > 0.9999
    assert held[with_points].mean() > 0.999
    both = held & (points > 0)
    found = grid.mean_embeddings(embeddings[grid.regions])[grid.voxel[both]]
    wrong = np.abs(found - sums[both] / points[both][:, None]).max(axis=1) > 1e-4
    assert both.sum() > 1000
    assert wrong.mean() < 0.01


def test_scores_of_voxels_are_products_with_their_mean_embeddings(spoken_tour: Workbench):
    video = spoken_tour.video
    ensure_language(video)
    grid = language_grid(video, 0)
    embeddings = video.read("semantics", "region_embeddings", grid.regions).astype(np.float32)
    words = np.random.default_rng(1).standard_normal((3, embeddings.shape[1])).astype(np.float32)
    scores = grid.scores(embeddings @ words.T)
    held = grid.voxel >= 0
    assert held.any()
    assert np.isnan(scores[~held]).all()
    assert np.allclose(scores[held], (grid.mean_embeddings(embeddings) @ words.T)[grid.voxel[held]], atol=1e-4)


def test_empty_voxels_say_nothing(spoken_tour: Workbench):
    ensure_language(spoken_tour.video)
    labels = spoken_tour.video.read("occupancy", "labels")[0]
    assert (language_grid(spoken_tour.video, 0).voxel[labels == 0] == -1).all()


def test_the_group_is_made_once_and_again_when_grids_change(spoken_tour: Workbench, tmp_path: Path):
    shutil.copytree(spoken_tour.video.files.root, tmp_path / "data")
    video = Store(tmp_path / "data").video(spoken_tour.video.video_id)
    video.set_aside(f"scene.zarr/{LANGUAGE}")
    ensure_language(video)
    made = video.attributes(LANGUAGE)
    ensure_language(video)
    assert video.attributes(LANGUAGE) == made
    arrays = {name: video.read("occupancy", name) for name in ("labels", "origin", "grid_from_world", "class_counts")}
    arrays["labels"][:] = 0
    with video.write_group("occupancy", {**video.attributes("occupancy"), "fingerprint": "another"}) as group:
        for name, rows in arrays.items():
            group.append(name, rows)
    ensure_language(video)
    assert video.attributes(LANGUAGE)["fingerprint"] != made["fingerprint"]
    assert not video.read(LANGUAGE, "region_of_voxel").any()
    assert (language_grid(video, 0).voxel == -1).all()


def test_a_damaged_group_is_made_anew(spoken_tour: Workbench, tmp_path: Path):
    shutil.copytree(spoken_tour.video.files.root, tmp_path / "data")
    video = Store(tmp_path / "data").video(spoken_tour.video.video_id)
    ensure_language(video)
    before = video.read(LANGUAGE, "mixtures")
    shutil.rmtree(tmp_path / "data" / "videos" / video.video_id / "scene.zarr" / LANGUAGE / "mixtures")
    with pytest.raises(CorruptStore, match="ask again"):
        language_grid(video, 0)
    ensure_language(video)
    assert language_grid(video, 0).shares.nnz > 0
    assert np.array_equal(video.read(LANGUAGE, "mixtures"), before)


def test_without_embeddings_the_stage_to_run_is_named(built_tour: Workbench):
    with pytest.raises(NoEmbeddings, match=r"stage 'semantics'.*backend san.*youtube_occ"):
        ensure_language(built_tour.video)
