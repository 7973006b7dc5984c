"""Teacher dinov2 against transformers' own network."""

from pathlib import Path

import numpy as np
import torch

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
