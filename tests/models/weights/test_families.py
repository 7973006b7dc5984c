"""Weights of one family given to another: one line says what was wanted, before anything is fetched."""

from collections.abc import Callable
from functools import cache as cache_of
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from models.da3 import Da3, Da3Metric
from models.dust3r import Dust3r
from models.errors import WrongWeights
from models.imagenet.efficientnet_lite import EfficientNetLite0
from models.indoor.places365 import Places365
from models.indoor.small import IndoorNet
from models.moge import Moge
from models.san import San
from models.weights import cache
from models.weights.families import DA3, DUST3R, EFFICIENTNET, INDOOR, MOGE, PLACES365, SAN
from tests.models import tiny_dust3r
from tests.models.da3.networks import tiny
from tests.models.moge.networks import tiny_moge
from tests.models.weights.server import running

LOADERS: dict[str, Callable[[Path], nn.Module]] = {
    DA3: Da3.load,
    MOGE: Moge.load,
    DUST3R: Dust3r.load,
    SAN: San.load,
    PLACES365: Places365.load,
    INDOOR: IndoorNet.load,
    EFFICIENTNET: EfficientNetLite0.load,
}
BY_NAME = (DA3, MOGE, DUST3R, SAN, INDOOR)
"""Families whose loaders take names."""
PAIRS = [(wanted, other) for wanted in LOADERS for other in LOADERS if wanted != other]
SHIPPED = {MOGE: "moge_small", DUST3R: "dust3r_small", SAN: "san_small", INDOOR: "indoor_small"}
REGISTERED = {
    DA3: "da3_small",
    MOGE: "moge_2_vits",
    DUST3R: "dust3r_vitl_512_linear",
    SAN: "san_vit_b_16",
    PLACES365: "resnet18_places365",
}


BUILT: dict[str, Callable[[], nn.Module]] = {
    DA3: tiny,
    MOGE: tiny_moge,
    DUST3R: lambda: tiny_dust3r.build(tiny_dust3r.LINEAR),
    SAN: lambda: San.load("san_small"),
    PLACES365: lambda: Places365(18),
    INDOOR: IndoorNet,
    EFFICIENTNET: EfficientNetLite0,
}


@cache_of
def states(family: str) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in BUILT[family]().state_dict().items()}  # one norm has four names


def check_said(error: pytest.ExceptionInfo[WrongWeights], wanted: str, other: str) -> None:
    said = str(error.value)
    assert wanted in said
    assert other in said
    for noise in ("\n", "http", "KeyError", "pydantic", "validation error"):
        assert noise not in said


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
@pytest.mark.parametrize(("wanted", "other"), PAIRS)
def test_a_file_of_another_family_is_called_that(tmp_path: Path, wanted: str, other: str, kind: str):
    path = tmp_path / f"x.{kind}"
    state = states(other)
    if kind == "pt":
        torch.save({"model": state}, path)
    else:
        save_file(state, path)
    with pytest.raises(WrongWeights) as error:
        LOADERS[wanted](path)
    check_said(error, wanted, other)


@pytest.mark.parametrize(("wanted", "other"), [pair for pair in PAIRS if pair[1] in SHIPPED])
def test_a_small_network_of_another_family_is_called_that_by_its_file(wanted: str, other: str):
    with pytest.raises(WrongWeights) as error:
        LOADERS[wanted](cache.SHIPPED / f"{SHIPPED[other]}.safetensors")
    check_said(error, wanted, other)
    assert "expected that of the file in this package" in str(error.value)


@pytest.mark.parametrize(
    ("wanted", "other", "name"),
    [(*pair, of[pair[1]]) for of in (REGISTERED, SHIPPED) for pair in PAIRS if pair[0] in BY_NAME and pair[1] in of],
)
def test_a_name_of_another_family_is_refused_and_nothing_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, other: str, name: str
):
    with running() as server:
        monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
        monkeypatch.setenv(cache.MIRRORS_VARIABLE, server.url(""))
        with pytest.raises(WrongWeights, match=name) as error:
            LOADERS[wanted](name)
        assert server.headers == []
    check_said(error, wanted, other)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("load", [Da3Metric.load, *LOADERS.values()])
def test_a_file_of_no_known_family_is_refused_in_one_line(tmp_path: Path, load: type):
    save_file({"weight": torch.zeros(3)}, tmp_path / "x.safetensors", metadata={"config": '{"short_side": "wide"}'})
    with pytest.raises(WrongWeights) as error:
        load(tmp_path / "x.safetensors")
    for noise in ("\n", "http", "KeyError", "pydantic", "validation error"):
        assert noise not in str(error.value)


def resized(family: str) -> dict[str, torch.Tensor]:
    """A network of the family, and of another size than is known."""
    state = states(family)
    if family == PLACES365:
        more = {name.replace("layer3.1.", "layer3.2."): tensor.clone() for name, tensor in state.items()}
        return more | state
    if family == EFFICIENTNET:
        more = {name.replace("_blocks.15.", "_blocks.16."): tensor.clone() for name, tensor in state.items()}
        return more | state
    return {**state, "head.weight": torch.zeros(1, 128)}


@pytest.mark.parametrize(
    ("family", "said"),
    [
        (PLACES365, r"no Places365 ResNet-18 or ResNet-50: .* stages have \(2, 2, 3, 2\) blocks"),
        (EFFICIENTNET, "holds an EfficientNet of 17 blocks of the Lite kind: EfficientNet-Lite0 has 16"),
        (INDOOR, r"does not fit this network.*head\.weight \(1, 128\) instead of \(1, 96\)"),
    ],
)
def test_a_network_of_the_family_and_another_size_is_called_that(tmp_path: Path, family: str, said: str):
    save_file(resized(family), tmp_path / "x.safetensors")
    with pytest.raises(WrongWeights, match=rf"{said}.*sha256 of x\.safetensors"):
        LOADERS[family](tmp_path / "x.safetensors")


def test_resnets_of_other_classes_and_efficientnets_of_the_other_kind_are_called_that(tmp_path: Path):
    path = tmp_path / "x.safetensors"
    save_file({**states(PLACES365), "fc.weight": torch.zeros(1000, 512)}, path)
    with pytest.raises(WrongWeights, match="512 features and gives 1000 classes"):
        Places365.load(path)
    save_file({**states(EFFICIENTNET), "_blocks.3._se_reduce.weight": torch.zeros(1)}, path)
    with pytest.raises(WrongWeights, match="16 blocks with squeeze-and-excitation"):
        EfficientNetLite0.load(path)


@pytest.mark.parametrize("family", [SAN, PLACES365, INDOOR, EFFICIENTNET])
def test_numbers_that_are_not_finite_are_named(tmp_path: Path, family: str):
    state = states(family)
    broken = next(name for name, tensor in state.items() if tensor.is_floating_point() and tensor.numel() > 1)
    metadata = {"config": San.load("san_small").config.model_dump_json()} if family == SAN else None
    save_file({**state, broken: torch.full_like(state[broken], torch.nan)}, tmp_path / "x.safetensors", metadata)
    with pytest.raises(WrongWeights, match=f"not finite, first in {broken}"):
        LOADERS[family](tmp_path / "x.safetensors")
