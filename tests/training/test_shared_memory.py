import logging
import time

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor

from tests.training.tiny_runs import quick
from training.batches import EpochBatches
from training.errors import LoaderStopped
from training.shared_memory import free_bytes, held_bytes, loader_options


class Rows(tuple[Tensor]):
    """A batch of one tensor."""

    __slots__ = ()
    names = ()


class Slow:
    """Samples that a disk which does not answer holds back."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Tensor:
        if torch.utils.data.get_worker_info() is not None:
            time.sleep(60)
        return torch.zeros(2)


def test_no_process_is_started_where_shared_memory_is_too_small(caplog: pytest.LogCaptureFixture):
    free = free_bytes()
    assert free is not None
    with caplog.at_level(logging.WARNING):
        assert loader_options(quick(workers=2), free) == {"num_workers": 0}
    assert "--shm-size" in caplog.text
    assert loader_options(quick(workers=2, loader_timeout_s=5), free // 100) == {"num_workers": 2, "timeout": 5}
    assert loader_options(quick(workers=0), free) == {"num_workers": 0}


def test_the_bytes_of_a_batch_are_those_of_its_tensors():
    assert held_bytes((("a",), torch.zeros(3, 4), [torch.zeros(2, dtype=torch.uint8)])) == 3 * 4 * 4 + 2


def test_a_loader_that_gives_nothing_ends_in_an_error():
    batches = EpochBatches(Slow(), lambda rows: Rows((torch.stack(list(rows)),)))
    fabric = Fabric(accelerator="cpu", devices=1)
    with pytest.raises(LoaderStopped, match=r"timed out after 1"):
        next(iter(batches.starting_at(0, quick(workers=1, loader_timeout_s=1), fabric)))
