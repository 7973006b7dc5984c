import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.bench.dust3r import cyclic_window, name_seeded_images
from models.bench.dust3r_gpu import BATCHES, clip_operations, measure_gpu
from tests.models.tiny_dust3r import LINEAR, build

TOKENS = 3 * 4


def test_operations_of_a_clip_are_those_of_its_layers():
    enc, dec, layers = LINEAR.enc_embed_dim, LINEAR.dec_embed_dim, LINEAR.dec_depth
    patches = 2 * TOKENS * 3 * 16**2 * enc
    encode = patches + LINEAR.enc_depth * (2 * TOKENS * 12 * enc**2 + 4 * TOKENS**2 * enc)
    # a decoder block has a second attention, to the other view: four more products of the width
    block = 2 * TOKENS * 16 * dec**2 + 2 * 4 * TOKENS**2 * dec
    decode = 2 * (2 * TOKENS * enc * dec + layers * block + 2 * TOKENS * dec * 4 * 16**2)
    # PyTorch counts no fused attention of CPUs
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH):
        counted = clip_operations(build(LINEAR), name_seeded_images(3, 48, 64), pairs=6)
    assert counted == pytest.approx(3 * encode + 6 * decode, rel=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_runs_both_formats_in_every_batch():
    network = build(LINEAR).cuda()
    measured = measure_gpu(network, name_seeded_images(4, 48, 64), cyclic_window(4, 1))
    assert len(measured["rates"]) == 2 * len(BATCHES)
    for rate in measured["rates"].values():
        assert rate["pairs_per_s"] > 0
        assert 0 < rate["share_of_peak"] < 1
    # eight bits of mantissa through seven random blocks
    assert 0 < measured["bfloat16_error"] < 0.05
