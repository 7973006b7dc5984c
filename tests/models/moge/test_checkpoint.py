"""Checkpoints of MoGe-2 as they are released, and files that are none."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from models.errors import WeightsUnavailable, WrongWeights
from models.moge import Moge, SmallMoge, config
from models.moge.config import MogeConfig, config_of
from models.moge.name_seeded import TINY_MOGE, name_seeded_moge
from models.weights.cache import SHIPPED
from models.weights.contents import checksum
from tests.models import tiny_dust3r
from tests.models.da3.networks import tiny
from tests.models.hostile import WEB_PAGE, evil
from tests.models.moge.networks import tiny_moge

WIDTHS = [128, 40, 24, 16, 16]


def stack(inputs: list[int], outputs: list[int | None] | None) -> dict[str, Any]:
    return {
        "dim_in": inputs, "dim_out": outputs, "dim_res_blocks": WIDTHS, "num_res_blocks": [0, 1, 1, 1, 0],
        "res_block_in_norm": "none", "res_block_hidden_norm": "none",
        "resamplers": ["conv_transpose", "conv_transpose", "conv_transpose", "bilinear"],
    }  # fmt: skip


def described() -> dict[str, Any]:
    return {
        "encoder": {"backbone": "dinov2_tiny14", "intermediate_layers": [1, 2], "dim_out": 128},
        "neck": stack([130, 2, 2, 2, 2], None),
        "points_head": stack(WIDTHS, [None, None, None, None, 3]),
        "normal_head": stack(WIDTHS, [None, None, None, None, 3]),
        "mask_head": stack(WIDTHS, [None, None, None, None, 1]),
        "scale_head": {"dims": [128, 128, 128, 1]},
        "remap_output": "exp",
        "num_tokens_range": [1200, 3600],
    }


def saved(path: Path, model_config: Any, **changed: torch.Tensor | None) -> Path:
    state = {**tiny_moge().state_dict(), **changed}
    state = {name: tensor for name, tensor in state.items() if tensor is not None}
    torch.save({"model_config": model_config, "model": state}, path)
    return path


def test_a_released_file_loads(tmp_path: Path):
    loaded = Moge.load(saved(tmp_path / "model.pt", described()))
    assert loaded.config == TINY_MOGE
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in tiny_moge().state_dict().items())
    assert Moge.load(tmp_path).config == TINY_MOGE  # a folder of the hub


def test_mean_and_spread_of_pictures_are_the_files(tmp_path: Path):
    path = saved(tmp_path / "x.pt", described(), **{"encoder.image_mean": torch.full((1, 3, 1, 1), 0.5).half()})
    assert torch.equal(Moge.load(path).encoder.image_mean, torch.full((1, 3, 1, 1), 0.5))


def test_a_number_of_taps_means_the_last_ones(tmp_path: Path):
    model_config = described()
    model_config["encoder"]["intermediate_layers"] = 2
    assert Moge.load(saved(tmp_path / "x.pt", model_config)).config.taps == (1, 2)


def test_a_missing_remap_is_linear_as_upstream_has_it(tmp_path: Path):
    model_config = described()
    del model_config["remap_output"]
    assert Moge.load(saved(tmp_path / "x.pt", model_config)).config.remap == "linear"


def test_unknown_settings_are_ignored_with_a_warning(tmp_path: Path):
    path = saved(tmp_path / "x.pt", {**described(), "colour": "blue"})
    with pytest.warns(UserWarning, match="colour"):
        assert Moge.load(path).config == TINY_MOGE


def test_a_bare_file_of_a_size_that_was_not_released_is_refused(tmp_path: Path):
    save_file(tiny_moge().state_dict(), tmp_path / "x.safetensors")
    with pytest.raises(WrongWeights, match=r"no model_config and is of no released size.*sha256 of x\.safetensors"):
        Moge.load(tmp_path / "x.safetensors")


@pytest.mark.parametrize("kind", ["released size", "small", "another size"])
def test_a_folder_may_hold_the_tensors_as_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str):
    path = tmp_path / "model.safetensors"
    if kind == "small":
        path.write_bytes((SHIPPED / "moge_small.safetensors").read_bytes())
        assert isinstance(Moge.load(tmp_path), SmallMoge)
        return
    save_file(tiny_moge().state_dict(), path)
    if kind == "another size":
        with pytest.raises(WrongWeights, match=r"take the model\.pt as it was released, which has one"):
            Moge.load(tmp_path)
        return
    size = (TINY_MOGE.width, TINY_MOGE.depth)  # as if it had been released: real ones take seconds to write
    monkeypatch.setitem(config.TAPS, size, TINY_MOGE.taps)
    monkeypatch.setitem(config._NECK_BLOCKS, size, TINY_MOGE.neck_blocks)
    loaded = Moge.load(tmp_path)
    assert loaded.config == TINY_MOGE
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in tiny_moge().state_dict().items())


def test_the_released_file_of_a_folder_comes_first(tmp_path: Path):
    save_file(tiny_moge().state_dict(), tmp_path / "model.safetensors")
    assert Moge.load(saved(tmp_path / "model.pt", described()).parent).config == TINY_MOGE


def test_a_bare_file_of_a_released_size_tells_all_but_what_is_known():
    with torch.device("meta"):
        state = Moge(MogeConfig()).state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert config_of(shapes, None) == MogeConfig()
    less = {name: shape for name, shape in shapes.items() if not name.startswith("neck.res_blocks.2.")}
    with pytest.raises(WrongWeights, match="lacks residual blocks"):
        config_of(less, None)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("neck", "num_res_blocks", [0, 2, 2, 2, 0]),
        ("neck", "resamplers", ["pixel_shuffle"] * 4),
        ("mask_head", "res_block_in_norm", "group_norm"),
        ("points_head", "dim_res_blocks", [128, 40, 24, 16, 8]),
        ("encoder", "intermediate_layers", [1, 3]),
        ("encoder", "intermediate_layers", "all"),
        ("encoder", "intermediate_layers", 10**12),
        ("encoder", "intermediate_layers", 0),
    ],
)
def test_descriptions_that_the_tensors_deny_or_nobody_released_are_refused(
    tmp_path: Path, part: str, name: str, value: Any
):
    model_config = deepcopy(described())
    model_config[part][name] = value
    with pytest.raises(WrongWeights):
        Moge.load(saved(tmp_path / "x.pt", model_config))


@pytest.mark.parametrize("model_config", [{"encoder": "dinov2_vitl14"}, [1], {"remap_output": "exp"}, {}])
def test_a_moge_of_the_first_generation_is_refused(tmp_path: Path, model_config: Any):
    with pytest.raises(WrongWeights, match="MoGe-1 is another network"):
        Moge.load(saved(tmp_path / "x.pt", model_config))


def test_a_head_is_described_where_there_are_tensors_and_only_there(tmp_path: Path):
    less = {name: part for name, part in described().items() if name != "mask_head"}
    with pytest.raises(WrongWeights, match="mask_head, which model_config does not describe"):
        Moge.load(saved(tmp_path / "x.pt", less))
    gone = dict.fromkeys(name for name in tiny_moge().state_dict() if name.startswith("mask_head."))
    with pytest.raises(WrongWeights, match="declares mask_head"):
        Moge.load(saved(tmp_path / "x.pt", described(), **gone))
    assert Moge.load(saved(tmp_path / "x.pt", less, **gone)).config.maps == ("points", "normal")
    unscaled = {name: part for name, part in described().items() if name != "scale_head"}
    with pytest.raises(WrongWeights, match="disagree on whether there is a scale_head"):
        Moge.load(saved(tmp_path / "x.pt", unscaled))


@pytest.mark.parametrize("content", [WEB_PAGE, b"", b"PK\x03\x04", b"\x80\x02}q\x00."])
def test_a_web_page_and_the_like_are_refused_with_their_checksum(tmp_path: Path, content: bytes):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    said = "is a web page, not a checkpoint: " if content == WEB_PAGE else ""
    with pytest.raises(WrongWeights, match=rf"{said}.*found {checksum(path)}"):
        Moge.load(path)


@pytest.mark.parametrize("plain", [True, False])
def test_a_file_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path, *, plain: bool):
    victim = evil(tmp_path / "evil.pt", tiny_moge().state_dict(), plain=plain)
    with pytest.raises(WrongWeights):
        Moge.load(tmp_path / "evil.pt")
    assert not victim.exists()


def test_weights_of_another_family_are_refused(tmp_path: Path):
    for network in (tiny_dust3r.build(tiny_dust3r.LINEAR), tiny()):
        torch.save({"model": network.state_dict(), "model_config": described()}, tmp_path / "x.pt")
        with pytest.raises(WrongWeights, match="not the weights of a MoGe-2"):
            Moge.load(tmp_path / "x.pt")


@pytest.mark.parametrize("name", ["encoder.backbone.mask_token", "neck.resamplers.3.1.bias", "encoder.image_std"])
def test_a_missing_entry_is_named(tmp_path: Path, name: str):
    with pytest.raises(WrongWeights, match=name.replace(".", r"\.")):
        Moge.load(saved(tmp_path / "x.pt", described(), **{name: None}))


def test_a_stranger_and_what_is_not_finite_are_named(tmp_path: Path):
    with pytest.raises(WrongWeights, match="refiner"):
        Moge.load(saved(tmp_path / "x.pt", described(), refiner=torch.zeros(1)))
    broken = {"neck.input_blocks.0.bias": torch.full((128,), torch.nan)}
    with pytest.raises(WrongWeights, match=r"not finite, first in neck\.input_blocks\.0\.bias"):
        Moge.load(saved(tmp_path / "x.pt", described(), **broken))


def test_another_size_is_refused(tmp_path: Path):
    wider = name_seeded_moge(TINY_MOGE.model_copy(update={"width": 192, "widths": (192, 40, 24, 16, 16)}))
    torch.save({"model": wider.state_dict(), "model_config": described()}, tmp_path / "x.pt")
    with pytest.raises(WrongWeights, match="dim_res_blocks"):
        Moge.load(tmp_path / "x.pt")


def test_no_such_file_lists_what_is_known():
    with pytest.raises(WeightsUnavailable, match="moge_2_vits"):
        Moge.load("no_such_network")
