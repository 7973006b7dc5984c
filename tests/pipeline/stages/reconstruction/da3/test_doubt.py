"""What speaks against cameras and depth of a network: little where they are right, much where they are spoilt."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.contract.records import Reconstruction
from pipeline.stages.reconstruction.colmap.pairs import MatchedPair, as_arrays, of_arrays
from pipeline.stages.reconstruction.colmap.probability import MEANING, trust_table
from pipeline.stages.reconstruction.da3.doubt import doubt_note, signs_of_network
from pipeline.stages.reconstruction.da3.refinement import refined
from tests.pipeline.stages.reconstruction.colmap.clips import TourClip
from tests.pipeline.stages.reconstruction.da3.test_refinement import QUICK


@pytest.fixture(scope="module")
def matches(clip: TourClip, truth: Reconstruction, tmp_path_factory: pytest.TempPathFactory) -> list[MatchedPair]:
    return refined(clip.rgb, truth, tmp_path_factory.mktemp("matched"), QUICK).matches


def turned(found: Reconstruction) -> Reconstruction:
    """Cameras of the second half are turned by 30 degrees."""
    poses = found.camera_to_world.copy()
    late = poses[len(poses) // 2 :]
    late[:, :3, :3] = late[:, :3, :3] @ Rotation.from_euler("y", 30, degrees=True).as_matrix().astype(np.float32)
    return replace(found, camera_to_world=poses)


def resized(found: Reconstruction) -> Reconstruction:
    """Depth of the second half is twice as large as it is."""
    depth = found.depth.copy()
    depth[len(depth) // 2 :] *= 2
    return replace(found, depth=depth)


def leaping(found: Reconstruction) -> Reconstruction:
    """The last camera stands ten metres farther."""
    poses = found.camera_to_world.copy()
    poses[-1, :3, 3] += 10
    return replace(found, camera_to_world=poses)


def narrow(found: Reconstruction) -> Reconstruction:
    intrinsics = found.intrinsics.copy()
    intrinsics[:, (0, 1), (0, 1)] *= 3
    return replace(found, intrinsics=intrinsics)


def halved(found: Reconstruction) -> Reconstruction:
    return replace(found, registered=found.registered & (np.arange(len(found.registered)) % 2 == 0))


SPOILT: dict[str, tuple[Callable[[Reconstruction], Reconstruction], tuple[str, ...]]] = {
    "turned": (turned, ("contradicted", "epipolar")),
    "resized": (resized, ("through",)),
    "leaping": (leaping, ("jump", "epipolar")),
    "narrow": (narrow, ("unusual", "contradicted")),
    "halved": (halved, ("missing", "few")),
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_wrong_with_a_clip_is_told_by_signs_of_that_name(
    truth: Reconstruction, matches: list[MatchedPair], how: str
):
    spoil, names = SPOILT[how]
    right, wrong = (signs_of_network(one, matches) for one in (truth, spoil(truth)))
    weights = {sign.name: sign for sign in trust_table().signs}
    for name in names:
        assert weights[name].badness(wrong[name]) > weights[name].badness(right[name]) + 0.15, name
    assert right["contradicted"] == 0
    assert right["epipolar"] < 1
    told = doubt_note(wrong)
    assert all(MEANING[name] in told for name in names)
    worst = max(
        weights.values(),
        key=lambda sign: sign.weight * sign.badness(wrong.get(sign.name, np.nan)) * (sign.name in wrong),
    )
    assert f"network's: {MEANING[worst.name]}" in told
    assert wrong.keys() <= {*MEANING}


def test_without_matches_cameras_and_depth_speak_alone(truth: Reconstruction):
    signs = signs_of_network(truth, [])
    assert "contradicted" not in signs
    said = doubt_note(signs)
    assert MEANING["jump"] in said
    assert MEANING["through"] in said
    assert "nan" not in said
    assert MEANING["hollow"] not in said, "a network gives depth everywhere"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_pairs_come_out_of_arrays_as_they_went_in(tmp_path: Path, count: int):
    rng = np.random.default_rng(0)
    pairs = [MatchedPair(at, at + 1, rng.random((5 + at, 2)), rng.random((5 + at, 2))) for at in range(count)]
    np.savez(tmp_path / "pairs.npz", allow_pickle=False, **as_arrays(pairs))
    with np.load(tmp_path / "pairs.npz") as arrays:
        again = of_arrays(arrays)
    assert [(pair.first, pair.second) for pair in again] == [(pair.first, pair.second) for pair in pairs]
    for one, two in zip(pairs, again, strict=True):
        assert np.array_equal(one.pixels, two.pixels)
        assert np.array_equal(one.pixels_second, two.pixels_second)
