"""Checkpoints of Depth Anything 3 as they are released, and files that are none."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.da3 import Da3, Da3Metric
from models.da3.name_seeded import TINY, TINY_METRIC, name_seeded_da3
from models.errors import WeightsUnavailable, WrongWeights
from models.moge.name_seeded import TINY_MOGE, name_seeded_moge
from models.weights.contents import checksum
from tests.models import tiny_dust3r
from tests.models.da3.networks import tiny, tiny_metric
from tests.models.hostile import WEB_PAGE, evil

SHARED = "head.scratch.output_conv2_aux."


def released(network: Da3 | Da3Metric) -> dict[str, Tensor]:
    """Entries of a released file: ``model.`` before each, one name of the norm that has four."""
    entries = {f"model.{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
    return {name: tensor for name, tensor in entries.items() if not any(f"{SHARED}{n}.2." in name for n in (1, 2, 3))}


def description(**net: Any) -> dict[str, Any]:
    stated = {
        "name": "vits", "out_layers": [3, 5, 7, 9], "alt_start": 2, "qknorm_start": 2, "rope_start": 2,
        "cat_token": True,
    }  # fmt: skip
    kind = {"path": "os", "name": "system", "args": "as_params"}
    return {
        "model_name": "da3-small",
        "config": {
            "__object__": kind,
            "net": {"__object__": kind, **stated, **net},
            "head": {"dim_in": 128, "output_dim": 2, "features": 32, "out_channels": [24, 48, 64, 64]},
            "cam_enc": {"dim_out": 64, "num_heads": 4},
            "cam_dec": {"dim_in": 128},
        },
    }


def folder(path: Path, state: dict[str, Tensor], described: Any) -> Path:
    save_file(state, path / "model.safetensors")
    (path / "config.json").write_text(json.dumps(described))
    return path


def test_a_folder_of_the_hub_loads_and_the_norm_keeps_its_four_names(tmp_path: Path):
    halves = {name: tensor.half() for name, tensor in released(tiny()).items()}  # exact, as weights are 8-bit integers
    loaded = Da3.load(folder(tmp_path, halves, description()))
    assert loaded.config == TINY
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in tiny().state_dict().items())
    norms = [loaded.head.scratch.output_conv2_aux[level][2].weight for level in range(4)]
    assert all(torch.equal(norm, norms[0]) for norm in norms)
    assert not torch.equal(norms[0], torch.ones(32))


def test_a_norm_whose_names_disagree_is_refused(tmp_path: Path):
    state = {**released(tiny()), f"model.{SHARED}3.2.weight": torch.ones(32)}
    with pytest.raises(WrongWeights, match="two names of one tensor, but differ"):
        Da3.load(folder(tmp_path, state, description()))


def test_a_description_inside_the_file_counts(tmp_path: Path):
    save_file(released(tiny()), tmp_path / "x.safetensors", metadata={"config": json.dumps(description())})
    assert Da3.load(tmp_path / "x.safetensors").config == TINY


def test_a_size_that_was_not_released_needs_its_description(tmp_path: Path):
    save_file(released(tiny()), tmp_path / "x.safetensors")
    with pytest.raises(WrongWeights, match=r"put its config\.json beside it.*sha256 of x\.safetensors"):
        Da3.load(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"alt_start": 4}, r"declares net\.alt_start 4, the tensors say 2"),
        ({"rope_start": -1}, r"net\.rope_start"),
        ({"cat_token": False}, r"net\.cat_token"),
        ({"out_layers": [5, 7, 9, 11]}, "not four blocks of 10"),
        ({"out_layers": [3, 5, 7]}, "layers"),
        ({"out_layers": "all"}, "layers"),
    ],
)
def test_a_description_that_the_tensors_deny_is_refused(tmp_path: Path, stated: dict[str, Any], message: str):
    with pytest.raises(WrongWeights, match=message):
        Da3.load(folder(tmp_path, released(tiny()), description(**stated)))


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"model_name": "da3nested", "config": {"anyview": {}, "metric": {}}}, "two networks in one file"),
        ({"model_name": "da3mono-large", "config": {"net": {}}}, "its depth is relative"),
        ({"config": [1]}, "no 'config'"),
        ({"config": {"net": [1]}}, "no objects"),
        ([], "no 'config'"),
    ],
)
def test_a_description_of_something_else_is_refused(tmp_path: Path, described: Any, message: str):
    with pytest.raises(WrongWeights, match=message):
        Da3.load(folder(tmp_path, released(tiny()), described))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000, WEB_PAGE])
def test_a_damaged_description_is_refused(tmp_path: Path, content: bytes):
    folder(tmp_path, released(tiny()), {})
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(WrongWeights, match=r"JSON.*sha256 of model\.safetensors"):
        Da3.load(tmp_path)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
@pytest.mark.parametrize("content", [WEB_PAGE, b"", b"version https://git-lfs.github.com/spec/v1\n"])
def test_a_web_page_is_refused_with_its_checksum(tmp_path: Path, suffix: str, content: bytes):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(content)
    for kind in (Da3, Da3Metric):
        said = "is a web page, not a checkpoint: " if content == WEB_PAGE else "cannot be read"
        with pytest.raises(WrongWeights, match=rf"{said}.*found {checksum(path)}"):
            kind.load(path)


def test_a_truncated_file_is_refused(tmp_path: Path):
    folder(tmp_path, released(tiny()), description())
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(WrongWeights, match="cannot be read"):
        Da3.load(tmp_path)


@pytest.mark.parametrize("plain", [True, False])
def test_a_file_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path, *, plain: bool):
    victim = evil(tmp_path / "evil.pth", released(tiny()), plain=plain)
    with pytest.raises(WrongWeights):
        Da3.load(tmp_path / "evil.pth")
    assert not victim.exists()


def test_weights_of_another_family_are_refused(tmp_path: Path):
    others = {"dust3r": tiny_dust3r.build(tiny_dust3r.LINEAR), "moge": name_seeded_moge(TINY_MOGE)}
    for name, network in others.items():
        save_file(network.state_dict(), tmp_path / f"{name}.safetensors")
        with pytest.raises(WrongWeights, match="not the weights of a Depth Anything 3"):
            Da3.load(tmp_path / f"{name}.safetensors")


def test_each_of_the_two_networks_names_the_other(tmp_path: Path):
    single = description(out_layers=[1, 2, 4, 5], alt_start=-1, qknorm_start=-1, rope_start=-1, cat_token=False)
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    one = name_seeded_da3(Da3Metric, TINY_METRIC.model_copy(update={"heads": 1}))
    folder(tmp_path / "one", released(one), single)
    folder(tmp_path / "many", released(tiny()), description())
    assert Da3Metric.load(tmp_path / "one").config.layers == (1, 2, 4, 5)
    with pytest.raises(WrongWeights, match="load it with Da3Metric"):
        Da3.load(tmp_path / "one")
    with pytest.raises(WrongWeights, match=r"load it with Da3$"):
        Da3Metric.load(tmp_path / "many")


def test_a_camera_encoder_without_its_blocks_is_not_taken_for_a_smaller_one(tmp_path: Path):
    state = {name: tensor for name, tensor in released(tiny()).items() if ".trunk." not in name}
    with pytest.raises(WrongWeights, match=r"missing: cam_enc\.trunk\.0"):
        Da3.load(folder(tmp_path, state, description()))


@pytest.mark.parametrize(
    ("name", "shape"),
    [("blocks.2.attn.q_norm.weight", (0,)), ("pos_embed", (1, 0, 64)), ("cls_token", ()), ("pos_embed", (64,))],
)
def test_shapes_that_no_network_has_are_refused(tmp_path: Path, name: str, shape: tuple[int, ...]):
    state = {**released(tiny()), f"model.backbone.pretrained.{name}": torch.zeros(shape)}
    with pytest.raises(WrongWeights, match="not the weights of a Depth Anything 3"):
        Da3.load(folder(tmp_path, state, description()))


def test_an_entry_with_and_without_the_leading_name_is_refused(tmp_path: Path):
    state = {**released(tiny()), "cam_dec.fc_t.bias": torch.zeros(3)}
    with pytest.raises(WrongWeights, match="with and without"):
        Da3.load(folder(tmp_path, state, description()))


@pytest.mark.parametrize("change", ["missing", "stranger", "shape", "whole", "nan"])
def test_entries_that_do_not_fit_are_named(tmp_path: Path, change: str):
    state, name = released(tiny()), "model.cam_dec.fc_t.bias"
    if change == "missing":
        del state[name]
    elif change == "stranger":
        name = "model.gs_head.weight"
        state[name] = torch.zeros(1)
    else:
        replaced = {"shape": torch.zeros(4), "whole": torch.zeros(3).long(), "nan": torch.full((3,), torch.nan)}
        state[name] = replaced[change]
    with pytest.raises(WrongWeights, match=name.removeprefix("model.").replace(".", r"\.")):
        Da3.load(folder(tmp_path, state, description()))


def test_no_such_file_lists_what_is_known():
    with pytest.raises(WeightsUnavailable, match=r"da3_small.*da3_metric_large"):
        Da3.load("no_such_network")
    assert tiny_metric().config == TINY_METRIC
