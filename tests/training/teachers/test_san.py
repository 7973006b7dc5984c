"""Teacher san: the image tower of a released network and of the small one."""

from pathlib import Path

import numpy as np
import pytest
import torch

from training.teachers.load import load_teacher


def test_san_gives_the_map_of_its_image_tower(tmp_path: Path):
    from safetensors.torch import save_file

    from models.san.name_seeded import TINY, name_seeded_san
    from models.san.preprocess import normalise_and_pad

    network = name_seeded_san(TINY)
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
