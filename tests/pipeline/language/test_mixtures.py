from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.camera import pointmap
from pipeline.contract.grid import voxel_index
from pipeline.contract.records import MetricScene
from pipeline.contract.scale import ScaleSource
from pipeline.language.mixtures import NO_VOXEL, mix, voxel_keys, weights

SHAPE = (6, 8)


def scene(rng: np.random.Generator, frames: int) -> MetricScene:
    poses = np.tile(np.eye(4, dtype=np.float32), (frames, 1, 1))
    poses[:, :3, 3] = rng.uniform(-0.2, 0.2, (frames, 3))
    depth = rng.uniform(0.2, 0.6, (frames, *SHAPE)).astype(np.float32)
    depth[rng.random(depth.shape) < 0.2] = 0
    return MetricScene(
        intrinsics=np.tile(np.array([[500, 0, 320], [0, 500, 240], [0, 0, 1]], np.float32), (frames, 1, 1)),
        camera_to_world=poses,
        depth=depth,
        confidence=np.ones_like(depth),
        registered=rng.random(frames) < 0.8,
        ceiling_height=2.8,
        up_confidence=1.0,
        scale_source=ScaleSource.FLOOR_TO_CEILING,
        world_from_reconstruction=np.eye(4),
    )


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(0, 3))
def test_a_mixture_holds_each_point_of_a_region_once(seed: int, frames: int):
    rng = np.random.default_rng(seed)
    clip, origin = scene(rng, frames), rng.uniform(-1, 1, 3)
    regions = rng.integers(-1, 5, (frames, *SHAPE))
    expected: Counter[tuple[int, ...]] = Counter()
    for frame in np.flatnonzero(clip.registered):
        points = pointmap(clip.depth[frame], clip.intrinsics[frame], clip.camera_to_world[frame])
        given_ = (clip.depth[frame] > 0) & (regions[frame] >= 0)
        for voxel, region in zip(voxel_index(points, origin)[given_], regions[frame][given_], strict=True):
            expected[(*voxel.tolist(), int(region))] += 1
    found = mix(clip, regions, np.eye(4), origin)
    voxels = np.array(sorted({key[:3] for key in expected}), np.int64).reshape(-1, 3)
    rows = found.rows_of(voxels)
    assert rows.tolist() == list(range(len(found.keys)))
    held = {
        (*voxel.tolist(), int(region)): int(points)
        for voxel, (start, stop) in zip(voxels, found.ranges, strict=True)
        for region, points in found.entries[start:stop]
    }
    assert held == dict(expected)
    shares = weights(found.ranges, found.entries, 5)
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert (found.dominant() == np.asarray(shares.todense()).argmax(axis=1)).all() if len(voxels) else True


def test_voxels_without_a_region_have_no_row():
    rng = np.random.default_rng(3)
    clip = scene(rng, 2)
    found = mix(clip, np.zeros((2, *SHAPE), np.int64), np.eye(4), np.zeros(3))
    assert found.rows_of(np.array([[9000, 0, 0], [1 << 20, 0, 0]])).tolist() == [NO_VOXEL, NO_VOXEL]
    nothing = mix(clip, np.full((2, *SHAPE), -1), np.eye(4), np.zeros(3))
    assert nothing.rows_of(np.zeros((4, 3), np.int64)).tolist() == [NO_VOXEL] * 4


def test_keys_tell_neighbours_apart_on_both_sides_of_the_origin():
    index = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    assert (np.diff(voxel_keys(index)) > 0).all()
