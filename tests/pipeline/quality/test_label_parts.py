"""What is exact in a grid shows in its counts, on a room whose estimate is wrong in known ways."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.contract.classes import SemanticClass
from pipeline.geometry.filling import VoxelSettings
from pipeline.geometry.voxels import voxelize_frame
from pipeline.quality.label_parts import GridCounts, app, count_clip, parts_table
from pipeline.tours.exact_parts import COMBINATIONS, ClipWithTruth, resized
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.frozen import pass_for_frozen
from tests.pipeline.box_room import film, looking
from tests.pipeline.stored_room import ROOM, store_room

CAMERAS = [looking((1.2, 0.4, 1.5), (2.0, 3.0, 0.8)), looking((2.0, 0.5, 1.4), (1.4, 3.0, 0.9))]
EXACT = VoxelSettings(ray_spacing=0)


@pytest.fixture(scope="module")
def clip() -> ClipWithTruth:
    """A clip 2 % too large, its depth bent, and its floor called a bed."""
    scene, semantics = film(ROOM, CAMERAS, (96, 128))
    bent = scene.depth * np.linspace(0.98, 1.02, 128, dtype=np.float32)
    estimate = resized(replace(scene, depth=bent), 1.02)
    wrong = np.where(semantics.labels == SemanticClass.FLOOR, np.uint8(SemanticClass.BED), semantics.labels)
    return ClipWithTruth(estimate, replace(semantics, labels=wrong), scene, semantics, 1 / 1.02, np.arange(2))


@pytest.fixture(scope="module")
def counts(clip: ClipWithTruth) -> dict[tuple[bool, bool, bool], GridCounts]:
    found = {parts: GridCounts() for parts in COMBINATIONS}
    exact = {frame: voxelize_frame(clip.true_scene, clip.true_semantics, frame, EXACT) for frame in range(2)}
    count_clip(clip, exact, found, EXACT)
    return found


def test_all_exact_is_exact(counts: dict):
    best = counts[True, True, True]
    assert best.in_all.iou == best.in_known.iou == 1
    assert best.known == best.asked


def test_exact_names_change_no_shape(counts: dict):
    for scale in (False, True):
        for depth in (False, True):
            named, unnamed = counts[scale, depth, True], counts[scale, depth, False]
            assert named.in_all.iou == unnamed.in_all.iou
            assert named.in_all.miou > unnamed.in_all.miou


def test_exact_scale_and_depth_leave_only_the_names_wrong(counts: dict):
    shape = counts[True, True, False]
    assert shape.in_all.iou == 1
    assert shape.in_all.class_iou[SemanticClass.FLOOR] == 0
    assert counts[False, False, False].in_all.iou < counts[True, False, False].in_all.iou < 1
    assert counts[False, False, False].in_all.iou < counts[False, True, False].in_all.iou < 1


def test_exact_depth_keeps_the_size_of_the_estimate(clip: ClipWithTruth):
    scene, _ = clip.with_exact((False, True, False))
    np.testing.assert_allclose(scene.depth, 1.02 * clip.true_scene.depth, rtol=1e-5)
    scene, _ = clip.with_exact((True, False, False))
    np.testing.assert_allclose(scene.depth, clip.scene.depth / 1.02, rtol=1e-5)


def test_a_grid_that_knows_less_is_right_where_it_knows(counts: dict):
    exact = np.array([0, 0, 3, 3, 255], np.uint8)
    total = GridCounts()
    total.add(np.array([0, 255, 3, 255, 3], np.uint8), exact)
    assert (total.known, total.asked) == (2, 4)
    assert (total.in_all.iou, total.in_known.iou) == (0.5, 1.0)
    lines = parts_table(counts).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:5]] == ["| nothing", "| names", "| depth"]
    assert lines[-1].startswith("| scale, depth, names | 100.0 |")


def test_the_command_counts_the_tours_of_a_data_folder(tmp_path: Path):
    ended = CliRunner().invoke(app, ["--data", str(unpack_earlier_dataset(tmp_path)), "--every", "6"])
    assert ended.exit_code == 0, ended.output
    lines = [line for line in ended.stdout.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in lines[:3]] == ["| exact", "| nothing", "| names"]
    built, exact = ([float(cell) for cell in line.strip("| ").split(" | ")[1:]] for line in (lines[1], lines[-1]))
    assert built[0] < exact[0] < 100, "what no camera saw is missed"
    assert exact[3] > 80, "what one saw is right"


@pytest.mark.parametrize("videos", [0, 1])
def test_a_folder_without_tours_is_refused_in_a_line(tmp_path: Path, videos: int):
    if videos:
        store_room(tmp_path)
    ended = CliRunner().invoke(app, ["--data", str(tmp_path)])
    assert ended.exit_code == 1
    assert ended.stderr.startswith("SettingsError: ")
    assert "holds no rendered tour" in ended.stderr


def test_frozen_tours_are_refused(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    pass_for_frozen(data, VIDEO)
    ended = CliRunner().invoke(app, ["--data", str(data)])
    assert ended.exit_code == 1
    assert ended.stderr.startswith("FrozenSeeds: ")
