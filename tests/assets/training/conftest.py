"""A stored room, a tiny teacher and a benchmark of two pictures, for all assets of training."""

import pytest
import torch

from assets.resources import PipelineResource
from assets.training.resource import TrainingResource
from tests.training.rooms import RoomFrames, stored_frames
from tests.training.tiny_runs import quick
from training.data.export import export_monoscene


@pytest.fixture(scope="package")
def training(tmp_path_factory: pytest.TempPathFactory) -> TrainingResource:
    from transformers import Dinov2Config, Dinov2Model

    folder = tmp_path_factory.mktemp("training")
    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=64, num_hidden_layers=1, num_attention_heads=1, patch_size=14, image_size=70)
    Dinov2Model(config).save_pretrained(folder / "dinov2")
    stored_frames(folder / "data")
    for side in ("train", "test"):
        list(export_monoscene(RoomFrames(1), folder / "nyu", side))
    loop = quick(epochs=1).model_dump(exclude={"decay_at"})
    return TrainingResource(
        pipeline=PipelineResource(data=str(folder / "data")),
        folder=str(folder / "networks"),
        weights=str(folder / "dinov2" / "model.safetensors"),
        benchmark={"kind": "monoscene", "path": str(folder / "nyu")},
        language={"loop": loop},
        distill={"loop": loop, "regions": "slic", "superpixels": 10},
        pillars={
            "arms": [{"name": "pipeline_only", "student": "tiny", "mix": "pipeline", "loss": "pixel_cosine"}],
            "seeds": [0],
            "views": 2,
            "train_rooms": 1,
            "test_rooms": 1,
            "distill": {"loop": {**loop, "steps": 1}},
            "finetune": {"loop": {**loop, "steps": 1}},
        },
        study={"shares": [1.0], "seeds": [0], "finetune": {"loop": loop}},
    )
