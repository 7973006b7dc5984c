"""Which teacher: by kind, with weights that are its own."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from training.errors import WrongCheckpoint
from training.teachers.load import load_teacher


def test_weights_of_something_else_are_refused(tmp_path: Path):
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(WrongCheckpoint, match="is no DINOv2"):
        load_teacher("dinov2", str(tmp_path / "x.safetensors"))
    with pytest.raises(WrongCheckpoint, match="no teacher 'clip'"):
        load_teacher("clip", "x")


@pytest.mark.parametrize("kind", ["dinov2", "san", "san_stem"])
@pytest.mark.parametrize("content", [b"", b"no weights"])
def test_weights_that_are_none_are_named_with_their_teacher(tmp_path: Path, kind: str, content: bytes):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(WrongCheckpoint, match=f"teacher {kind}: "):
        load_teacher(kind, str(tmp_path / "x.safetensors"))


def test_a_teacher_lacks_no_weights(dinov2: Path, tmp_path: Path):
    state = load_file(dinov2)
    del state["encoder.layer.1.norm1.weight"]
    save_file(state, tmp_path / "cut.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        WrongCheckpoint, match=r"cut\.safetensors does not fit this network. missing: blocks\.1\.norm1\.weight"
    ):
        load_teacher("dinov2", str(tmp_path / "cut.safetensors"))


def test_teachers_are_frozen_and_say_which_weights_they_have(dinov2: Path):
    teacher = load_teacher("dinov2", str(dinov2))
    assert (teacher.name, teacher.width) == ("dinov2", 64)
    assert list(teacher.weights) == [dinov2.name]
    assert not any(weights.requires_grad for weights in teacher.network.parameters())
    assert not teacher.features(torch.zeros(1, 3, 28, 28, dtype=torch.uint8)).requires_grad
