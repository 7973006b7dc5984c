"""What a network says of a long clip lies in files, and what is asked of it needs memory for a frame at a time."""

import mmap
import tracemalloc
from dataclasses import fields

import numpy as np
import pytest

from pipeline.stages.reconstruction.colmap_moge.settings import ColmapMogeSettings
from pipeline.stages.reconstruction.looks import MAPS, ClipLooks, NetworkLook, look
from tests.models.moge.networks import tiny_moge
from tests.pipeline.stages.reconstruction.colmap_moge.weights import save_moge

SHAPE = (96, 128)
OF_A_FRAME = 4 * 7 * SHAPE[0] * SHAPE[1]
"""Bytes of points, normals and mask."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ColmapMogeSettings:
    weights = save_moge(tmp_path_factory.mktemp("moge") / "model.pt", tiny_moge())
    return ColmapMogeSettings(weights=str(weights), device="cpu")


def clip(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 64, 3), np.uint8)


def bytes_in_memory(seen: NetworkLook) -> int:
    """Bytes of its arrays that do not lie in a file."""
    arrays = [value for field in fields(seen) if isinstance(value := getattr(seen, field.name), np.ndarray)]
    return sum(array.nbytes for array in arrays if not isinstance(array.base, mmap.mmap))


@pytest.mark.parametrize("count", [2, 40])
def test_maps_lie_in_files_and_a_frame_leaves_a_few_numbers_in_memory(settings: ColmapMogeSettings, count: int):
    seen = look(clip(count), SHAPE, settings)
    assert all(isinstance(getattr(seen, name).base, mmap.mmap) for name in MAPS)
    assert bytes_in_memory(seen) <= 16 * count


def test_the_peak_does_not_grow_with_the_clip_but_by_the_result(settings: ColmapMogeSettings):
    """numpy's own allocations: those of looking at frames, of some in another order, and of depth by a lens."""
    look(clip(1), SHAPE, settings)
    peaks = {}
    for count in (8, 60):
        rgb, looks = clip(count), ClipLooks(settings)
        tracemalloc.start()
        looks.of(rgb, SHAPE)
        some = looks.of(rgb, SHAPE, np.arange(count)[::-1])
        frames, focal = np.arange(count), np.full(count, 0.8)
        result = *some.seen_with(frames, focal), some.facing(frames, focal)
        peaks[count] = tracemalloc.get_traced_memory()[1] - sum(part.nbytes for part in result if part is not None)
        tracemalloc.stop()
    assert peaks[60] - peaks[8] < 0.1 * 52 * OF_A_FRAME


def test_what_comes_out_of_files_is_what_went_in(settings: ColmapMogeSettings):
    rgb = clip(6)
    seen = look(rgb, SHAPE, settings)
    for frame in range(6):
        alone = look(rgb[frame : frame + 1], SHAPE, settings)
        for name in (*MAPS, "metres", "focal"):
            np.testing.assert_array_equal(getattr(seen, name)[frame], getattr(alone, name)[0], err_msg=name)
