"""Where a checkpoint lies, and what is said where it is wrong."""

from pathlib import Path

import pytest
import torch

from models.errors import WeightsUnavailable, WrongWeights
from models.weights.contents import checksum
from models.weights.located import check_finite, located, with_checksum
from tests.models.weights.frozen_names import REGISTERED


def test_a_folder_stands_for_the_file_inside(tmp_path: Path):
    (tmp_path / "model.pt").write_bytes(b"x")
    assert located(tmp_path, "model.pt") == located(tmp_path / "model.pt", "model.pt") == tmp_path / "model.pt"
    with pytest.raises(WeightsUnavailable, match=r"there is no file .*model\.safetensors; known names: .*da3_base"):
        located(tmp_path, "model.safetensors")


@pytest.mark.parametrize("held", ["moge.pt", "x.pth", "pytorch_model.bin", "DA3-SMALL.safetensors"])
def test_a_folder_with_a_file_of_another_name_is_told_to_be_named_by_the_file(tmp_path: Path, held: str):
    (tmp_path / held).write_bytes(b"x")
    said = (
        rf"no file {tmp_path}/model\.pt nor {tmp_path}/model\.safetensors; .*; the folder holds {held}: name the file"
    )
    with pytest.raises(WeightsUnavailable, match=said):
        located(tmp_path, ("model.pt", "model.safetensors"))
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert located(tmp_path, ("model.pt", "model.safetensors")) == tmp_path / "model.safetensors"


def test_errors_say_which_file_was_expected_and_which_was_found(tmp_path: Path):
    path = tmp_path / "DA3-BASE.safetensors"
    path.write_bytes(b"not it")
    told = f"strange.*expected {REGISTERED['da3_base'][0]}, found {checksum(path)}"
    with pytest.raises(WrongWeights, match=told), with_checksum(path):
        raise WrongWeights("strange")


def test_the_first_entry_that_is_not_finite_is_named():
    check_finite({"a": torch.ones(2), "b": torch.ones(0)}, "x")
    with pytest.raises(WrongWeights, match="x holds numbers that are not finite, first in b"):
        check_finite({"a": torch.ones(2), "b": torch.tensor([1, torch.inf])}, "x")
