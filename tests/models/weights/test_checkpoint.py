"""Strict loading, and every kind of file that is no checkpoint."""

import argparse
import pickle
import random
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.errors import WrongWeights
from models.weights.checkpoint import load_strictly, read_file, read_metadata, read_state_dict, state_dict_in

STATE = {
    "0.weight": torch.arange(24.0).reshape(4, 6) / 7,
    "0.bias": torch.tensor([0.5, -1, 2, 0]),
    "1.weight": torch.ones(4),
    "1.bias": torch.zeros(4),
    "1.running_mean": torch.full((4,), 0.25),
    "1.running_var": torch.full((4,), 4.0),
    "1.num_batches_tracked": torch.tensor(7),
}


def network() -> nn.Sequential:
    with torch.device("meta"):
        return nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4))


def save_legacy(content: Any, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


WRITERS: dict[str, Callable[[Any, Path], None]] = {"zip.pth": torch.save, "legacy.pth": save_legacy}


@pytest.fixture(params=["zip.pth", "legacy.pth", "plain.safetensors"])
def checkpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    WRITERS.get(path.name, save_file)(STATE, path)
    return path


def assert_is_state(found: dict[str, Tensor]) -> None:
    assert set(found) == set(STATE)
    assert all(torch.equal(found[name], value) and found[name].dtype == value.dtype for name, value in STATE.items())


def test_tensors_are_read_from_every_format(checkpoint: Path):
    assert_is_state(read_state_dict(checkpoint))


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("root", ["model", "state_dict"])
def test_tensors_are_found_under_the_names_that_trainers_put_them(
    tmp_path: Path, write: Callable[[Any, Path], None], root: str
):
    parallel = OrderedDict((f"module.{name}", value) for name, value in STATE.items())
    write({"epoch": 90, "arch": "resnet", root: parallel, "best": 54.7}, tmp_path / "trained.pth")
    assert_is_state(read_state_dict(tmp_path / "trained.pth"))


def test_files_of_python_2_are_read(tmp_path: Path):
    with (tmp_path / "old.pth").open("wb") as file:
        for part in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}):
            pickle.dump(part, file, protocol=2)
        # a str of Python 2: bytes that are no UTF-8, as a name beside the tensors
        file.write(b"\x80\x02}U\x04caf\xe9K\x01s.")
        pickle.dump([], file, protocol=2)
    assert read_file(tmp_path / "old.pth") == {"caf\xe9": 1}


def test_a_file_cut_anywhere_is_refused_by_name(checkpoint: Path):
    whole = checkpoint.read_bytes()
    cuts = {0, 1, 2, 8, len(whole) - 1, *random.Random(0).sample(range(len(whole)), 150)}
    for cut in cuts:
        checkpoint.write_bytes(whole[:cut])
        with pytest.raises(WrongWeights, match=checkpoint.name):
            read_state_dict(checkpoint)


def test_damaged_bytes_are_refused_or_change_values_but_never_crash(checkpoint: Path):
    whole, chance = checkpoint.read_bytes(), random.Random(1)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for place in chance.sample(range(len(whole)), chance.choice([1, 4])):
            damaged[place] = chance.choice([0, 255, damaged[place] ^ 1, chance.randrange(256)])
        checkpoint.write_bytes(bytes(damaged))
        try:
            found = read_state_dict(checkpoint)
        except WrongWeights:
            refused += 1
        else:
            assert all(isinstance(value, Tensor) for value in found.values())
    assert refused > 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>404</html>",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        b"PK\x03\x04",
        pickle.dumps({"not": "tensors"})[:-4],
        np.random.default_rng(0).bytes(5000),
    ],
    ids=["empty", "web page", "pointer of Git LFS", "start of a zip", "cut pickle", "noise"],
)
@pytest.mark.parametrize("name", ["san.pth", "resnet.pth.tar", "dust3r.safetensors"])
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WrongWeights, match=name):
        read_state_dict(tmp_path / name)


@pytest.mark.parametrize("name", ["missing.pth", "missing.safetensors"])
def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path, name: str):
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(WrongWeights, match=path.name):
            read_file(path)


class Payload:
    """What a pickle would call on reading."""

    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call, self.arguments


@pytest.mark.parametrize("write", [*WRITERS.values(), lambda content, path: path.write_bytes(pickle.dumps(content))])
@pytest.mark.parametrize("place", ["among the tensors", "beside them", "as the whole"])
def test_code_in_a_pickle_is_refused_and_does_not_run(tmp_path: Path, write: Callable[[Any, Path], object], place: str):
    victim = tmp_path / "ran"
    payload = Payload(exec, f"open({str(victim)!r}, 'w').close()")
    contents = {"among the tensors": {"model": {**STATE, "x": payload}}, "beside them": {"model": STATE, "x": payload}}
    write(contents.get(place, payload), tmp_path / "evil.pth")
    with pytest.raises(WrongWeights, match=r"evil\.pth cannot be read as tensors alone"):
        read_state_dict(tmp_path / "evil.pth")
    assert not victim.exists()


@pytest.mark.parametrize("innocent", [argparse.Namespace(lr=1), np.float64(3), torch.nn.ReLU()])
def test_objects_of_any_class_are_refused_unless_allowed(tmp_path: Path, innocent: object):
    torch.save({"model": STATE, "args": innocent}, tmp_path / "object.pth")
    with pytest.raises(WrongWeights, match="tensors alone"):
        read_file(tmp_path / "object.pth")


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), 7, "text"])
def test_a_file_of_something_else_than_names_is_refused_with_what_it_holds(tmp_path: Path, content: object):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WrongWeights, match=f"holds a {type(content).__name__}, not named tensors"):
        read_file(tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("stored", "complaint"),
    [
        ({}, "nothing in it"),
        ({"model": {}}, "nothing in it"),
        ({"state_dict": {"a": torch.zeros(1), "epoch": 3}}, "epoch"),
        ({"epoch": 3, "weights": {"a": torch.zeros(1)}}, "epoch, weights"),
        ({str(n): n for n in range(9)}, "0, 1, 2, 3, 4 and 4 more"),
    ],
)
def test_what_is_no_state_dict_is_refused_with_what_lies_there(stored: dict[str, Any], complaint: str):
    with pytest.raises(WrongWeights, match=f"toy.pth is no state dict: {complaint}$"):
        state_dict_in(stored, "toy.pth")


def test_metadata_are_the_remarks_in_the_header(tmp_path: Path):
    save_file(STATE, tmp_path / "with.safetensors", metadata={"config": "{}", "trained on": "tours"})
    save_file(STATE, tmp_path / "without.safetensors")
    assert read_metadata(tmp_path / "with.safetensors") == {"config": "{}", "trained on": "tours"}
    assert read_metadata(tmp_path / "without.safetensors") == {}
    torch.save(STATE, tmp_path / "torch.safetensors")
    for wrong in ("torch.safetensors", "missing.safetensors"):
        with pytest.raises(WrongWeights, match=wrong):
            read_metadata(tmp_path / wrong)


def test_a_network_takes_every_tensor_without_copying_it():
    loaded, state = network(), dict(STATE)
    load_strictly(loaded, state, "toy.pth")
    assert_is_state(loaded.state_dict())
    assert loaded[0].weight.data_ptr() == state["0.weight"].data_ptr()
    outputs = loaded.eval()(torch.ones(1, 6))
    expected = (STATE["0.weight"].sum(dim=1) + STATE["0.bias"] - 0.25) / (4 + 1e-5) ** 0.5
    assert torch.allclose(outputs[0], expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_of_any_width_become_float32_and_counters_stay_counters(dtype: torch.dtype):
    loaded = network()
    state = {name: value.to(dtype) if value.is_floating_point() else value for name, value in STATE.items()}
    load_strictly(loaded, state, "toy.pth")
    assert {value.dtype for name, value in loaded.state_dict().items() if "num" not in name} == {torch.float32}
    assert loaded[1].num_batches_tracked == 7
    assert torch.equal(loaded[0].bias.detach(), STATE["0.bias"]), "these are exact in eight bits"


def test_counters_of_batches_may_be_missing_as_in_old_files():
    loaded = network()
    load_strictly(loaded, {name: value for name, value in STATE.items() if "num" not in name}, "old.pth")
    assert torch.equal(loaded[0].weight.detach(), STATE["0.weight"])


@pytest.mark.parametrize("name", [name for name in STATE if "num" not in name])
def test_every_other_entry_that_is_missing_is_named(name: str):
    with pytest.raises(WrongWeights, match=rf"toy\.pth does not fit this network\. missing: {name}$"):
        load_strictly(network(), {key: value for key, value in STATE.items() if key != name}, "toy.pth")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("head.weight", torch.zeros(2), r"unexpected: head\.weight$"),
        ("0.weight", torch.zeros(6, 4), r"of another shape: 0\.weight \(6, 4\) instead of \(4, 6\)$"),
        ("0.bias", torch.zeros(4, 1), r"of another shape: 0\.bias \(4, 1\) instead of \(4,\)$"),
        ("1.weight", torch.tensor(1.0), r"of another shape: 1\.weight \(\) instead of \(4,\)$"),
        ("0.bias", torch.zeros(4, dtype=torch.int8), r"not floating point: 0\.bias torch\.int8$"),
        (
            "1.running_var",
            torch.ones(4, dtype=torch.complex64),
            r"not floating point: 1\.running_var torch\.complex64$",
        ),
    ],
)
def test_an_entry_that_does_not_fit_is_named_and_the_network_stays_as_it_was(name: str, value: Tensor, complaint: str):
    strict = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4))
    before = {key: entry.clone() for key, entry in strict.state_dict().items()}
    with pytest.raises(WrongWeights, match=complaint):
        load_strictly(strict, {**STATE, name: value}, "toy.pth")
    assert all(torch.equal(entry, before[key]) for key, entry in strict.state_dict().items())


def test_all_that_is_wrong_is_said_at_once():
    state = {"0.weight": torch.zeros(1), **{f"strange.{n}": torch.zeros(1) for n in range(7)}}
    with pytest.raises(WrongWeights) as raised:
        load_strictly(network(), state, "toy.pth")
    assert "missing: 0.bias, 1.weight, 1.bias, 1.running_mean, 1.running_var;" in str(raised.value)
    assert "strange.4 and 2 more;" in str(raised.value)
    assert "0.weight (1,) instead of (4, 6)" in str(raised.value)
