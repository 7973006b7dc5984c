"""Distillation: pixels to voxels, superpixels to supervoxels, the two losses, teachers and their cached features."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.camera import pointmap
from pipeline.contract.grid import voxel_index
from tests.training.rooms import RoomFrames, stored_frames
from tests.training.tiny_runs import WIDTH, NumberedFeatures
from training.checkpoints import new_network
from training.data import collate
from training.errors import UnusableDataset, WrongCheckpoint
from training.scores.evaluate import silent
from training.settings import DistillSettings
from training.tasks.distill import (
    Distillation,
    TaughtFrames,
    collate_taught,
    pixel_distance,
    pixel_pairs,
    region_infonce,
    region_pairs,
    size_of_features,
)
from training.tasks.regions import pixel_voxels, region_means, supervoxels
from training.tasks.supervise import views_of
from training.teachers.features import compute, feature_group, features_of, store_features
from training.teachers.load import load_teacher


def test_a_pixels_voxel_is_the_floor_of_its_point():
    sample = RoomFrames(1)[0]
    points = pointmap(sample.depth, sample.intrinsics, sample.camera_to_world)
    index = voxel_index(points, sample.origin)
    within = (points - sample.origin) / 0.08 - index
    clear = ((within > 0.01) & (within < 0.99)).all(axis=-1)
    inside = ((index >= 0) & (index < (60, 60, 36))).all(axis=-1) & (sample.depth > 0)
    expected = np.where(inside, (index[..., 0] * 60 + index[..., 1]) * 36 + index[..., 2], -1)
    found = pixel_voxels(views_of(collate([sample])))[0].numpy()
    assert clear.mean() > 0.3, "the room's walls lie on borders of voxels, where float32 may go either way"
    assert np.array_equal(found[clear], expected[clear])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_voxel_belongs_to_the_region_of_most_of_its_pixels(pairs: list[tuple[int, int]]):
    voxels, regions = (torch.tensor(column)[None] for column in zip(*pairs, strict=True))
    expected = {}
    for voxel in sorted({v for v, r in pairs if v >= 0 and r > 0}):
        votes = [r for v, r in pairs if v == voxel and r > 0]
        expected[voxel] = max(sorted(set(votes)), key=votes.count)
    found, winner = supervoxels(voxels, regions)
    assert dict(zip(found.tolist(), winner.tolist(), strict=True)) == expected


def test_region_means_weigh_patches_by_their_pixels():
    features = torch.arange(4.0).view(1, 2, 2)
    regions = torch.zeros(4, 4, dtype=torch.int32)
    regions[:, 2:] = 2
    means, there = region_means(features, regions, 3)
    assert means[:, 0].tolist() == [1.0, 0.0, 2.0]
    assert there.tolist() == [True, False, True]


def test_students_and_teachers_of_a_region_meet_in_the_same_row():
    sample = RoomFrames(1)[0]
    batch = collate([sample])
    voxels = pixel_voxels(views_of(batch))[0]
    grid = torch.zeros(129600, 12)
    voxel, region = supervoxels(voxels, batch.regions[0])
    grid[voxel, region] = 1
    one_hot = torch.nn.functional.one_hot(batch.regions[0].long(), 12).permute(2, 0, 1).float()
    students, teachers = region_pairs(grid, voxels, batch.regions[0], one_hot)
    assert len(students) == len(np.unique(sample.regions))
    assert torch.equal(students.argmax(1), teachers.argmax(1))
    assert torch.allclose(students.sum(1), torch.ones(len(students)))


def test_infonce_is_low_for_the_right_pairs_and_has_negatives_from_the_batch():
    rows = torch.nn.functional.normalize(torch.randn(6, 16, generator=torch.Generator().manual_seed(0)), dim=1)
    right = region_infonce(rows * 3, rows, 0.07)
    assert right < 0.01, "length does not matter, direction does"
    assert region_infonce(rows.roll(1, 0), rows, 0.07) > 5
    assert region_infonce(rows[:0], rows[:0], 0.07) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.sampled_from([0.07, 0.5]), st.integers(0, 99))
def test_both_losses_equal_loops_over_their_formulas(count: int, width: int, temperature: float, seed: int):
    rng = np.random.default_rng(seed)
    students, teachers = (3 * rng.standard_normal((count, width)) for _ in range(2))
    k, q = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (students, teachers))
    infonce = [
        -np.log(np.exp(k[i] @ q[i] / temperature) / sum(np.exp(k[i] @ q[j] / temperature) for j in range(count)))
        for i in range(count)
    ]
    distance = [np.sqrt(((k[i] - q[i]) ** 2).sum()) for i in range(count)]
    given_ = torch.from_numpy(students), torch.from_numpy(teachers)
    assert float(region_infonce(*given_, temperature)) == pytest.approx(np.mean(infonce), rel=1e-6, abs=1e-9)
    assert float(pixel_distance(*given_)) == pytest.approx(np.mean(distance), rel=1e-6)


def test_a_voxel_of_one_picture_is_compared_with_the_regions_of_the_whole_batch():
    torch.manual_seed(0)
    frames = RoomFrames(2)
    task = Distillation(new_network("small", WIDTH), DistillSettings())
    taught = TaughtFrames(frames, NumberedFeatures(), DistillSettings())
    with torch.no_grad():
        apart = [float(task(collate_taught([taught[i]]))["total"]) for i in range(2)]
        together = float(task(collate_taught([taught[0], taught[1]]))["total"])
    assert together > max(apart), "more regions to choose from"


def test_pixel_distance_is_that_of_unit_vectors():
    teachers = torch.eye(4)
    assert pixel_distance(5 * teachers, teachers) == pytest.approx(0, abs=1e-6)
    assert pixel_distance(teachers.roll(1, 0), teachers) == pytest.approx(2**0.5)


def test_pixels_are_read_from_the_teacher_where_they_are():
    voxels = torch.full((4, 8), -1)
    voxels[1, 6] = 5
    grid = torch.arange(10.0)[:, None]
    features = torch.arange(8.0).view(1, 1, 8).expand(1, 4, 8)
    student, teacher = pixel_pairs(grid, voxels, features, 100)
    assert (student.tolist(), teacher.tolist()) == ([[5.0]], [[6.0]])


@pytest.fixture(scope="module")
def dinov2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("dinov2")
    config = Dinov2Config(hidden_size=64, num_hidden_layers=2, num_attention_heads=1, patch_size=14, image_size=70)
    Dinov2Model(config).save_pretrained(folder)
    return folder / "model.safetensors"


def test_dinov2_gives_what_transformers_gives(dinov2: Path):
    from transformers import Dinov2Model

    teacher = load_teacher("dinov2", str(dinov2))
    rgb = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (1, 3, 28, 42), dtype=np.uint8))
    found = teacher.features(rgb)
    assert found.shape == (1, 64, 2, 3)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels = (rgb / 255 - mean[:, None, None]) / deviation[:, None, None]
    with torch.inference_mode():
        tokens = Dinov2Model.from_pretrained(dinov2.parent).eval()(pixel_values=pixels).last_hidden_state
    assert torch.allclose(found[0, :, 1, 2], tokens[0, 6], atol=1e-4)


def test_san_gives_the_map_of_its_image_tower(tmp_path: Path):
    from safetensors.torch import save_file

    from models.san.name_seeded import TINY, name_made_san
    from models.san.preprocess import normalise_and_pad

    network = name_made_san(TINY)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, tmp_path / "san.safetensors")
    rgb = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (1, 3, 96, 128), dtype=np.uint8))
    teacher = load_teacher("san", str(tmp_path / "san.safetensors"))
    found = teacher.features(rgb)
    assert found.shape == (1, teacher.width, 3, 4), "CLIP sees half the picture in patches of 16"
    pixels = normalise_and_pad(rgb, like=network.ov_classifier.bg_embed).pixels
    with torch.inference_mode():
        small = torch.nn.functional.interpolate(pixels, scale_factor=0.5, mode="bilinear", align_corners=False)
        expected = network.clip_visual_extractor(small)[-1].patches
    assert torch.allclose(found, expected, atol=1e-5)


def test_the_small_san_gives_a_map_of_its_own_tower(tmp_path: Path):
    small = pytest.importorskip("models.san.small")
    from safetensors.torch import save_file

    config = small.SmallSanConfig(words=(("wall",), ("floor",)), queries=4)
    network = small.SmallSan(config)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    save_file(state, tmp_path / "san.safetensors", metadata={"format": "pt", "config": config.model_dump_json()})
    teacher = load_teacher("san", str(tmp_path / "san.safetensors"))
    found = teacher.features(torch.zeros(2, 3, 480, 640, dtype=torch.uint8))
    assert found.shape == (2, teacher.width, 15, 20)
    assert teacher.name == "small_san"
    assert found.isfinite().all()


def test_features_are_computed_once_for_the_same_weights(dinov2: Path, tmp_path: Path):
    frames, teacher = stored_frames(tmp_path), load_teacher("dinov2", str(dinov2))
    features = store_features(frames, teacher, silent)
    assert features[2].shape == (64, 34, 45)
    assert np.allclose(features[2], compute(teacher, frames[2].rgb[None])[0], atol=2e-2)
    metadata = tmp_path / "videos" / "room" / "scene.zarr" / feature_group(teacher) / "zarr.json"
    made = metadata.stat().st_mtime_ns
    store_features(frames, teacher, silent)
    assert metadata.stat().st_mtime_ns == made
    assert json.loads(metadata.read_text())["attributes"]["weights"] == dict(teacher.weights)
    other = load_teacher("dinov2", str(dinov2))
    other.weights = {"model.safetensors": "0" * 64}
    assert feature_group(other) != feature_group(teacher)


def test_features_of_a_benchmark_are_kept_beside_the_run(dinov2: Path, tmp_path: Path):
    frames, teacher = RoomFrames(1), load_teacher("dinov2", str(dinov2))
    features = features_of(frames, teacher, tmp_path, silent)
    assert features[0].shape == (64, 34, 45)
    (kept,) = tmp_path.glob("*.npz")
    made = kept.stat().st_ino
    features_of(frames, teacher, tmp_path, silent)
    assert kept.stat().st_ino == made
    kept.unlink()
    with pytest.raises(UnusableDataset, match="run the same command again"):
        features[0]


def test_weights_of_something_else_are_refused(tmp_path: Path):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(WrongCheckpoint, match="is no DINOv2"):
        load_teacher("dinov2", str(tmp_path / "x.safetensors"))
    with pytest.raises(WrongCheckpoint, match="no teacher 'clip'"):
        load_teacher("clip", "x")


@pytest.mark.parametrize("size", [0.01, 1.0, 1e4])
def test_the_size_of_features_counts_alike_in_both_directions(size: float):
    grids = size * torch.randn(2, 500, 4, generator=torch.Generator().manual_seed(0))
    assert float(size_of_features(grids)) == pytest.approx(math.log(size) ** 2, abs=0.05 * max(1, abs(math.log(size))))
    assert size_of_features(torch.zeros(1, 5, 4)).isfinite()
