"""A DINOv2 of two layers, as transformers writes it."""

from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def dinov2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("dinov2")
    config = Dinov2Config(hidden_size=64, num_hidden_layers=2, num_attention_heads=1, patch_size=14, image_size=70)
    Dinov2Model(config).save_pretrained(folder)
    return folder / "model.safetensors"
