"""Weights of one family given to another: one line says what was wanted, before anything is fetched."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from models.da3 import Da3, Da3Metric
from models.dust3r import Dust3r
from models.errors import WrongWeights
from models.moge import Moge
from models.weights import cache
from models.weights.families import DA3, DUST3R, MOGE
from tests.models import tiny_dust3r
from tests.models.da3.networks import tiny
from tests.models.moge.networks import tiny_moge
from tests.models.weights.server import running

LOADERS = {DA3: Da3.load, MOGE: Moge.load, DUST3R: Dust3r.load}
PAIRS = [(wanted, other) for wanted in LOADERS for other in LOADERS if wanted != other]
SHIPPED = {MOGE: "moge_small", DUST3R: "dust3r_small"}
REGISTERED = {DA3: "da3_small", MOGE: "moge_2_vits", DUST3R: "dust3r_vitl_512_linear"}


def built(family: str) -> nn.Module:
    if family == DUST3R:
        return tiny_dust3r.build(tiny_dust3r.LINEAR)
    return tiny() if family == DA3 else tiny_moge()


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
    state = {name: value.clone() for name, value in built(other).state_dict().items()}  # one norm has four names
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
    [(*pair, names[pair[1]]) for names in (REGISTERED, SHIPPED) for pair in PAIRS if pair[1] in names],
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


@pytest.mark.parametrize("load", [Da3.load, Da3Metric.load, Moge.load, Dust3r.load])
def test_a_file_of_no_known_family_is_refused_in_one_line(tmp_path: Path, load: type):
    save_file({"weight": torch.zeros(3)}, tmp_path / "x.safetensors", metadata={"config": '{"short_side": "wide"}'})
    with pytest.raises(WrongWeights) as error:
        load(tmp_path / "x.safetensors")
    for noise in ("\n", "http", "KeyError", "pydantic", "validation error"):
        assert noise not in str(error.value)
