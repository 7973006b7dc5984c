import pytest
import torch

from models.bench.dust3r_gpu import clip_operations
from models.da3.name_seeded import TINY
from pipeline.bench import operations
from pipeline.bench.operations import da3_gflop, dust3r_gflop, edges_of
from tests.models.tiny_dust3r import LINEAR, build


def test_short_clips_take_all_pairs():
    assert len(edges_of(5)) == 20
    assert len(edges_of(16)) == 112


def test_pairs_of_pictures_that_were_prepared_once_cost_less_than_by_themselves(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(operations, "SIZE", (48, 64))
    images = torch.zeros(2, 3, 48, 64)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        alone = clip_operations(build(LINEAR), images, pairs=2) / 1e9
    assert dust3r_gflop(2, LINEAR) == pytest.approx(alone, rel=1e-6), "two pictures are each on either side once"
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        alone = clip_operations(build(LINEAR), images[:1].expand(9, -1, -1, -1), len(edges_of(9))) / 1e9
    assert dust3r_gflop(9, LINEAR) < alone


def test_depth_anything_grows_faster_than_its_frames():
    one, two, four = (da3_gflop(frames, TINY, 112) for frames in (1, 2, 4))
    # a share of each frame, and one of each pair of frames; a reference is chosen of three and more
    assert four - 2 * two == pytest.approx(4 * (two - 2 * one), rel=0.01)
    assert two > 2 * one
