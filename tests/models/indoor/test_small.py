from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.errors import WeightsUnavailable, WrongWeights
from models.indoor.small import HEIGHT, WIDTH, IndoorNet, shrink


@pytest.fixture(scope="module")
def network() -> IndoorNet:
    torch.manual_seed(0)
    return IndoorNet().eval().requires_grad_(requires_grad=False)


def pictures(count: int, height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("size", [(48, 64), (HEIGHT, WIDTH), (480, 640), (640, 360)])
def test_there_is_one_number_a_picture_of_any_size(network: IndoorNet, size: tuple[int, int]):
    found = network(pictures(2, *size))
    assert found.shape == (2,)
    assert found.isfinite().all()


def test_a_picture_is_judged_alike_in_any_batch_and_as_bytes_or_floats(network: IndoorNet):
    shown = pictures(3, 100, 120)
    together = network(shown)
    assert torch.allclose(together[1:2], network(shown[1:2]), atol=1e-5)
    assert torch.allclose(together, network(shown.float()), atol=1e-6)


def test_a_picture_of_its_own_size_is_taken_as_it_is():
    shown = pictures(1, HEIGHT, WIDTH)
    assert torch.equal(shrink(shown), shown.float())


def test_shrinking_keeps_the_mean_and_does_not_alias():
    stripes = torch.zeros(1, 3, 720, 960)
    stripes[..., ::2] = 200
    small = shrink(stripes)
    assert small.shape == (1, 3, HEIGHT, WIDTH)
    assert (small - 100).abs().max() < 5, "without a filter the stripes would be black or white"


def test_the_shipped_halves_run_in_float32():
    shipped = IndoorNet.load("indoor_small")
    assert not shipped.training
    assert shipped(torch.full((1, 3, 72, 96), 128.0)).isfinite().all()
    assert all(value.dtype == torch.float32 for value in shipped.parameters())


def test_weights_come_back_from_a_file_exactly(network: IndoorNet, tmp_path: Path):
    save_file(network.state_dict(), tmp_path / "indoor.safetensors")
    shown = pictures(2, 72, 96)
    assert torch.equal(IndoorNet.load(tmp_path / "indoor.safetensors")(shown), network(shown))


def test_other_files_than_its_weights_are_refused(network: IndoorNet, tmp_path: Path):
    state = network.state_dict()
    save_file({name: value for name, value in state.items() if name != "head.bias"}, tmp_path / "less.safetensors")
    with pytest.raises(WrongWeights, match=r"missing: head\.bias"):
        IndoorNet.load(tmp_path / "less.safetensors")
    (tmp_path / "page.safetensors").write_text("<html>404</html>")
    for wrong in (tmp_path / "page.safetensors", tmp_path / "missing.safetensors", "no_such_name"):
        with pytest.raises((WrongWeights, WeightsUnavailable)):
            IndoorNet.load(wrong)
