import argparse
import hashlib
import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.dust3r import Dust3r
from models.errors import WeightsUnavailable, WrongWeights
from models.indoor.places365 import Places365
from models.weights.contents import checksum
from tests.models.tiny_dust3r import DPT, LINEAR, build, expression, images


def official(network: Dust3r, path: Path, args: str | None = None) -> Path:
    namespace = argparse.Namespace(model=args or expression(network.config), lr=1e-4)
    torch.save({"model": network.state_dict(), "args": namespace}, path)
    return path


def hub_state(network: Dust3r) -> dict[str, Tensor]:
    return {key: tensor.contiguous() for key, tensor in network.state_dict().items() if ".layer_rn." not in key}


def assert_same(loaded: Dust3r, network: Dust3r) -> None:
    assert loaded.config == network.config
    one, _ = loaded(images("a", height=32, width=48), images("b", height=32, width=48))
    two, _ = network(images("a", height=32, width=48), images("b", height=32, width=48))
    assert torch.equal(one.points, two.points)


@pytest.mark.parametrize("name", ["linear", "dpt"])
def test_official_file_loads(name: str, tmp_path: Path, request: pytest.FixtureRequest):
    network = request.getfixturevalue(name)
    assert_same(Dust3r.load(official(network, tmp_path / "official.pth")), network)


def test_hub_folder_loads_without_the_second_names(dpt: Dust3r, tmp_path: Path):
    save_file(hub_state(dpt), tmp_path / "model.safetensors")
    config = {**DPT.model_dump(), "depth_mode": ["exp", -float("inf"), float("inf")], "freeze": "none"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert_same(Dust3r.load(tmp_path), dpt)


def test_lone_safetensors_file_tells_its_own_sizes(linear: Dust3r, tmp_path: Path):
    save_file(hub_state(linear), tmp_path / "lone.safetensors")
    assert_same(Dust3r.load(tmp_path / "lone.safetensors"), linear)


def test_a_shipped_file_tells_its_sizes_in_its_metadata(tmp_path: Path):
    slim = LINEAR.model_copy(update={"enc_num_heads": 6, "img_size": (256, 256)})
    path = tmp_path / "slim.safetensors"
    save_file(hub_state(build(slim)), path, metadata={"format": "pt", "config": slim.model_dump_json()})
    assert_same(Dust3r.load(path), build(slim))


def test_metadata_that_the_tensors_deny_are_refused(linear: Dust3r, tmp_path: Path):
    lie = LINEAR.model_copy(update={"dec_depth": 4})
    save_file(hub_state(linear), tmp_path / "lie.safetensors", metadata={"config": lie.model_dump_json()})
    with pytest.raises(WrongWeights, match="dec_depth"):
        Dust3r.load(tmp_path / "lie.safetensors")


def test_a_checkpoint_of_another_network_is_refused_with_its_checksum(tmp_path: Path):
    path = tmp_path / "resnet.pth.tar"
    torch.save({"state_dict": Places365(18).state_dict()}, path)
    with pytest.raises(WrongWeights, match=rf"not the weights of a DUSt3R.*found {checksum(path)}"):
        Dust3r.load(path)


def test_half_precision_weights_load_as_float32(tmp_path: Path):
    halves = {key: tensor.half().contiguous() for key, tensor in build(LINEAR).state_dict().items()}
    save_file(halves, tmp_path / "half.safetensors")
    assert_same(Dust3r.load(tmp_path / "half.safetensors"), build(LINEAR))  # name-seeded weights are exact in float16


def test_second_decoder_may_be_missing_as_in_croco_files(tmp_path: Path):
    state = {key: tensor for key, tensor in build(LINEAR).state_dict().items() if not key.startswith("dec_blocks2.")}
    torch.save({"model": state}, tmp_path / "croco.pth")
    loaded = Dust3r.load(tmp_path / "croco.pth").state_dict()
    assert torch.equal(loaded["dec_blocks2.1.mlp.fc1.weight"], loaded["dec_blocks.1.mlp.fc1.weight"])


@pytest.mark.parametrize("key", ["enc_norm.bias", "mask_token", "downstream_head2.proj.weight"])
def test_a_missing_entry_is_named(linear: Dust3r, tmp_path: Path, key: str):
    state = linear.state_dict()
    del state[key]
    torch.save({"model": state}, tmp_path / "less.pth")
    with pytest.raises(WrongWeights, match=key):
        Dust3r.load(tmp_path / "less.pth")


def test_an_unknown_entry_is_named(linear: Dust3r, tmp_path: Path):
    torch.save({"model": {**linear.state_dict(), "stranger.weight": torch.zeros(1)}}, tmp_path / "more.pth")
    with pytest.raises(WrongWeights, match=r"stranger\.weight"):
        Dust3r.load(tmp_path / "more.pth")


def test_two_names_of_one_tensor_must_agree(dpt: Dust3r, tmp_path: Path):
    state = dpt.state_dict()
    state["downstream_head1.dpt.scratch.layer_rn.2.weight"] = torch.zeros(256, 384, 3, 3)
    torch.save({"model": state}, tmp_path / "split.pth")
    with pytest.raises(WrongWeights, match="two names"):
        Dust3r.load(tmp_path / "split.pth")


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path):
    state = {key: tensor.clone() for key, tensor in build(LINEAR).state_dict().items()}
    state["enc_norm.bias"][3] = torch.nan
    torch.save({"model": state}, tmp_path / "nan.pth")
    with pytest.raises(WrongWeights, match=r"enc_norm\.bias"):
        Dust3r.load(tmp_path / "nan.pth")


def test_a_truncated_file_is_refused_with_its_checksum(linear: Dust3r, tmp_path: Path):
    whole = official(linear, tmp_path / "whole.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WrongWeights, match=hashlib.sha256(whole[: len(whole) // 2]).hexdigest()):
        Dust3r.load(tmp_path / "cut.pth")


class Payload:
    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return (exec, (f"open({str(self.victim)!r}, 'w').close()",))


@pytest.mark.parametrize("save", ["torch", "pickle"])
def test_a_file_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path, save: str):
    path, victim = tmp_path / "evil.pth", tmp_path / "ran"
    if save == "torch":
        torch.save({"model": build(LINEAR).state_dict(), "args": Payload(victim)}, path)
    else:
        path.write_bytes(pickle.dumps({"model": Payload(victim)}))
    with pytest.raises(WrongWeights):
        Dust3r.load(path)
    assert not victim.exists()


def test_sizes_that_the_tensors_deny_are_refused_before_anything_is_built(linear: Dust3r, tmp_path: Path):
    lie = expression(linear.config.model_copy(update={"enc_depth": 10**9}))
    with pytest.raises(WrongWeights, match="enc_depth"):
        Dust3r.load(official(linear, tmp_path / "lie.pth", lie))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000, b'{"stem": [-1, 4, 8]}', b"<html>404</html>"])
def test_a_damaged_description_beside_the_tensors_is_refused(linear: Dust3r, tmp_path: Path, content: bytes):
    save_file(hub_state(linear), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(WrongWeights, match=r"sha256 of model\.safetensors"):
        Dust3r.load(tmp_path)


def test_a_file_cut_anywhere_is_refused(tmp_path: Path):
    small = {"model": {"enc_norm.weight": torch.ones(192)}, "args": argparse.Namespace(model=expression(LINEAR))}
    torch.save(small, tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    for cut in random.Random(0).sample(range(len(whole)), 40):
        (tmp_path / "cut.pth").write_bytes(whole[:cut])
        with pytest.raises(WrongWeights, match=rf"cut\.pth.*found {hashlib.sha256(whole[:cut]).hexdigest()}"):
            Dust3r.load(tmp_path / "cut.pth")


def test_a_folder_without_a_network_says_which_file_is_missing(tmp_path: Path):
    with pytest.raises(WeightsUnavailable, match=r"there is no file .*model\.safetensors"):
        Dust3r.load(tmp_path)


def test_a_name_that_is_neither_file_nor_registered_lists_what_is():
    with pytest.raises(WeightsUnavailable, match="dust3r_vitl_512_dpt"):
        Dust3r.load("no_such_network")


WIDE = LINEAR.model_copy(update={"enc_embed_dim": 1024, "enc_num_heads": 16, "enc_depth": 1})
"""As wide as the released networks, of which those of 224 and of 512 pixels have the same tensors."""


def test_a_network_of_224_without_its_config_is_not_taken_for_one_of_512(tmp_path: Path):
    network = build(WIDE)
    save_file(hub_state(network), tmp_path / "model.safetensors")
    with pytest.raises(WrongWeights, match=r"224 or 512.*config\.json"):
        Dust3r.load(tmp_path / "model.safetensors")
    torch.save({"model": network.state_dict()}, tmp_path / "bare.pth")
    with pytest.raises(WrongWeights, match="224 or 512"):
        Dust3r.load(tmp_path / "bare.pth")
    for name, side in [
        ("DUSt3R_ViTLarge_BaseDecoder_224_linear", 224),
        ("DUSt3R_ViTLarge_BaseDecoder_512_linear", 512),
    ]:
        (tmp_path / name).mkdir()
        (tmp_path / "model.safetensors").rename(tmp_path / name / "model.safetensors")
        assert Dust3r.load(tmp_path / name).config.img_size == (side, side)
        (tmp_path / name / "model.safetensors").rename(tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(WIDE.model_copy(update={"img_size": (224, 224)}).model_dump_json())
    assert Dust3r.load(tmp_path / "model.safetensors").config.img_size == (224, 224)
