"""Distillation: who is compared with whom, and both losses against loops over their formulas."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.rooms import RoomFrames
from tests.training.tiny_runs import WIDTH, NumberedFeatures
from training.checkpoints import new_network
from training.data import collate
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
from training.tasks.regions import pixel_voxels, supervoxels
from training.tasks.supervise import views_of


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


@settings(max_examples=20)
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


@pytest.mark.parametrize("size", [0.01, 1.0, 1e4])
def test_the_size_of_features_counts_alike_in_both_directions(size: float):
    grids = size * torch.randn(2, 500, 4, generator=torch.Generator().manual_seed(0))
    assert float(size_of_features(grids)) == pytest.approx(math.log(size) ** 2, abs=0.05 * max(1, abs(math.log(size))))
    assert size_of_features(torch.zeros(1, 5, 4)).isfinite()


def test_features_of_unit_size_cost_nothing_and_empty_pictures_lose_nothing():
    unit = torch.ones(1, 4, 3)
    assert float(size_of_features(unit)) == pytest.approx(0, abs=1e-6)
    nothing = torch.zeros(0, 5, requires_grad=True)
    for loss in (pixel_distance(nothing, nothing.detach()), region_infonce(nothing, nothing.detach(), 0.1)):
        loss.backward()
        assert float(loss.detach()) == 0


@pytest.mark.parametrize(("most", "expected"), [(1, 1), (3, 3), (7, 7), (100, 8)])
def test_at_most_so_many_pixels_are_compared_spread_evenly(most: int, expected: int):
    voxels = torch.tensor([[0, 1, 2, 3], [4, 5, 6, 7]])
    student, teacher = pixel_pairs(torch.arange(8.0)[:, None], voxels, torch.ones(2, 2, 4), most)
    assert len(student) <= expected
    assert student[0] == 0
    assert teacher.shape == (len(student), 2)


def test_slic_regions_replace_those_of_the_dataset():
    frames = RoomFrames(1)
    slic = DistillSettings(regions="slic", superpixels=10)
    sample, features = TaughtFrames(frames, NumberedFeatures(), slic)[0]
    assert len(np.unique(sample.regions)) > 3
    assert not np.array_equal(sample.regions, frames[0].regions)
    assert features.dtype == torch.float16


def test_shuffled_pairs_leave_nothing_to_find():
    frames, width = RoomFrames(2), WIDTH
    torch.manual_seed(0)
    network = new_network("tiny", width)
    rows = torch.nn.functional.normalize(torch.randn(200, width, generator=torch.Generator().manual_seed(1)), dim=1)
    own, shuffled = (Distillation(network, DistillSettings(pairs=pairs)) for pairs in ("own", "shuffled"))
    assert torch.equal(own._paired(rows), rows)
    drawn = shuffled._paired(rows)
    assert torch.equal(drawn.sort(dim=0).values, rows.sort(dim=0).values), "the same rows"
    assert region_infonce(rows, rows, 0.07) < math.log(200) < region_infonce(rows, drawn, 0.07)
    batch = collate_taught([TaughtFrames(frames, NumberedFeatures(), DistillSettings())[i] for i in range(2)])
    assert shuffled(batch)["agreement"].isfinite()


def test_a_description_of_before_there_were_controls_stays_as_it_was():
    assert "pairs" not in DistillSettings().model_dump()
    assert DistillSettings.model_validate(DistillSettings(pairs="shuffled").model_dump()).pairs == "shuffled"
