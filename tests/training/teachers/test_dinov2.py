"""Teacher dinov2 against transformers' own network."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from training.errors import WrongCheckpoint
from training.teachers.load import load_teacher


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


def test_a_dinov2_with_registers_gives_what_transformers_gives_for_the_patches(tmp_path: Path):
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 1, "patch_size": 14, "image_size": 70}
    Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**sizes, num_register_tokens=4)).save_pretrained(tmp_path)
    rgb = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (1, 3, 28, 42), dtype=np.uint8))
    found = load_teacher("dinov2", str(tmp_path / "model.safetensors")).features(rgb)
    assert found.shape == (1, 64, 2, 3)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels = (rgb / 255 - mean[:, None, None]) / deviation[:, None, None]
    with torch.inference_mode():
        tokens = Dinov2WithRegistersModel.from_pretrained(tmp_path).eval()(pixel_values=pixels).last_hidden_state
    assert tokens.shape[1] == 1 + 4 + 6
    assert torch.allclose(found[0, :, 1, 2], tokens[0, 1 + 4 + 5], atol=1e-4)


def test_a_dinov2_with_a_gated_mlp_gives_what_transformers_gives(tmp_path: Path):
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 1, "patch_size": 14, "image_size": 70}
    network = Dinov2Model(Dinov2Config(**sizes, use_swiglu_ffn=True)).eval()
    network.save_pretrained(tmp_path)
    rgb = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (1, 3, 28, 42), dtype=np.uint8))
    found = load_teacher("dinov2", str(tmp_path / "model.safetensors")).features(rgb)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels = (rgb / 255 - mean[:, None, None]) / deviation[:, None, None]
    with torch.inference_mode():
        tokens = network(pixel_values=pixels).last_hidden_state
    assert torch.allclose(found[0, :, 1, 2], tokens[0, 6], atol=1e-4)


def test_tensors_that_no_dinov2_has_are_refused(dinov2: Path, tmp_path: Path):
    save_file({**load_file(dinov2), "embeddings.more_tokens": torch.zeros(1, 1, 64)}, tmp_path / "more.safetensors")
    with pytest.raises(WrongCheckpoint, match="more_tokens"):
        load_teacher("dinov2", str(tmp_path / "more.safetensors"))
