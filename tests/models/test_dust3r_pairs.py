from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from models.dust3r import Dust3r
from models.dust3r.pairs import halving_batches, predict_pairs
from models.errors import OutOfDeviceMemory, UnusableInput
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


def fits(most: int) -> Callable[[Sequence[int]], list[int]]:
    def run(rows: Sequence[int]) -> list[int]:
        if len(rows) > most:
            raise torch.OutOfMemoryError
        return list(rows)

    return run


@pytest.mark.parametrize("most", [1, 3, 8])
def test_running_out_of_memory_halves_the_batch_and_loses_nothing(most: int):
    batches = list(halving_batches(range(20), 8, fits(most)))
    assert [row for _, rows, _ in batches for row in rows] == list(range(20))
    assert batches[-1][2] <= most


def test_a_pair_that_does_not_fit_is_an_error():
    with pytest.raises(OutOfDeviceMemory):
        list(halving_batches(range(4), 2, fits(0)))
