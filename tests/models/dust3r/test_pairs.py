import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from models.dust3r import Dust3r, PointMap, PreparedView, Tokens
from models.dust3r.pairs import halving_batches, predict_pairs
from models.errors import OutOfDeviceMemory, UnusableInput
from tests.models.memory_errors import RUN_OUT, of_the_card
from tests.models.tiny_dust3r import LINEAR, build, images

EDGES = np.array([[0, 1], [1, 0], [0, 2], [2, 0], [1, 2]])


@pytest.fixture(scope="module")
def network() -> Dust3r:
    return build(LINEAR)


def test_pairs_are_those_of_the_network_in_half_precision(network: Dust3r, tmp_path: Path):
    pictures = images("a", "b", "c", height=48, width=64)
    stored = predict_pairs(network, pictures, EDGES, tmp_path, batch_size=2)
    for row, (first, second) in enumerate(EDGES):
        one, two = network(pictures[first : first + 1], pictures[second : second + 1])
        for half, exact in ((stored.points1, one.points), (stored.points2, two.points)):
            error = np.abs(half[row].astype(np.float32) - exact[0].numpy()).max()
            assert error < 1e-3 * float(exact.abs().max())  # float16 keeps 11 bits: 5e-4
        assert np.allclose(stored.confidence2[row], two.confidence[0], rtol=1e-3)


def test_every_image_is_encoded_once(network: Dust3r, tmp_path: Path):
    encoded = []
    hook = network.patch_embed.register_forward_hook(lambda *call: encoded.append(len(call[2])))
    predict_pairs(network, images("a", "b", "c", height=32, width=32), EDGES, tmp_path, batch_size=2)
    hook.remove()
    assert sum(encoded) == 3


def test_results_do_not_depend_on_the_batch(network: Dust3r, tmp_path: Path):
    pictures = images("a", "b", "c", height=32, width=32)
    stored = []
    for batch in (1, 5):
        folder = tmp_path / str(batch)
        folder.mkdir()
        stored.append(predict_pairs(network, pictures, EDGES, folder, batch_size=batch).points2)
    # Half precision may round two float32 neighbours apart, by one part in 1024.
    assert np.allclose(stored[0], stored[1], rtol=2e-3, atol=1e-3)


def test_images_that_are_not_finite_are_refused(network: Dust3r, tmp_path: Path):
    with pytest.raises(UnusableInput):
        predict_pairs(network, torch.full((2, 3, 32, 32), torch.nan), EDGES[:1], tmp_path)


def test_no_image_at_all_is_refused(network: Dust3r, tmp_path: Path):
    with pytest.raises(UnusableInput, match="no image"):
        predict_pairs(network, torch.zeros(0, 3, 32, 32), EDGES[:0], tmp_path)


def test_values_beyond_half_precision_are_clipped_and_never_infinite(network: Dust3r, tmp_path: Path):
    far = copy.deepcopy(network)
    far.downstream_head1.proj.bias.fill_(12.0)
    stored = predict_pairs(far, images("a", "b", height=32, width=32), EDGES[:1], tmp_path)
    assert (np.abs(stored.points1).max(), stored.confidence1.max()) == (65504, 65504)
    assert np.isfinite(stored.points2).all()


def test_results_lie_in_files_that_others_can_open(network: Dust3r, tmp_path: Path):
    stored = predict_pairs(network, images("a", "b", height=32, width=48), EDGES[:2], tmp_path)
    for name in ("points1", "points2", "confidence1", "confidence2"):
        assert np.array_equal(np.load(tmp_path / f"{name}.npy"), getattr(stored, name))
    assert stored.points1.shape == (2, 32, 48, 3)
    assert stored.confidence2.dtype == np.float16


class SmallMemory(Dust3r):
    """A network on a device that holds so many images or pairs at a time."""

    most = 2

    def encode(self, images: torch.Tensor) -> Tokens:
        self._need(len(images))
        return super().encode(images)

    def decode_prepared(self, view1: PreparedView, view2: PreparedView) -> tuple[PointMap, PointMap]:
        self._need(len(view1.embedded))
        return super().decode_prepared(view1, view2)

    def _need(self, count: int) -> None:
        if count > self.most:
            raise torch.OutOfMemoryError


def test_a_small_device_gives_the_same_with_smaller_batches_and_says_so(
    network: Dust3r, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    small = SmallMemory(LINEAR).eval().requires_grad_(requires_grad=False)
    small.load_state_dict(network.state_dict())
    pictures = images("a", "b", "c", height=32, width=32)
    stored = predict_pairs(small, pictures, EDGES, tmp_path, batch_size=5)
    assert stored.halved
    assert stored.batch_size == 2
    assert "going on with 2 at a time" in caplog.text
    (tmp_path / "roomy").mkdir()
    roomy = predict_pairs(network, pictures, EDGES, tmp_path / "roomy", batch_size=2)
    assert not roomy.halved
    assert np.array_equal(stored.points2, roomy.points2)


def test_a_device_too_small_for_one_pair_is_an_error(tmp_path: Path):
    tiny = SmallMemory(LINEAR).eval()
    tiny.most = 0
    with pytest.raises(OutOfDeviceMemory, match="smaller images"):
        predict_pairs(tiny, images("a", "b", height=32, width=32), EDGES[:1], tmp_path)


def fits(most: int, runs_out: Callable[[], None] = of_the_card) -> Callable[[Sequence[int]], list[int]]:
    def run(rows: Sequence[int]) -> list[int]:
        if len(rows) > most:
            runs_out()
        return list(rows)

    return run


@pytest.mark.parametrize("runs_out", RUN_OUT)
@pytest.mark.parametrize("most", [1, 3, 8])
def test_running_out_of_memory_halves_the_batch_and_loses_nothing(most: int, runs_out: Callable[[], None]):
    batches = list(halving_batches(range(20), 8, fits(most, runs_out)))
    assert [row for _, rows, _ in batches for row in rows] == list(range(20))
    assert batches[-1][2] <= most


def test_a_pair_that_does_not_fit_is_an_error():
    with pytest.raises(OutOfDeviceMemory):
        list(halving_batches(range(4), 2, fits(0)))
