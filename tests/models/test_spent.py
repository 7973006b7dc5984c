"""What work takes, measured on work of a known size."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from models.spent import metered

BURN = "import time\nwhile time.process_time() < 0.3: pass"


def burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_work_of_a_process_and_of_those_it_started_is_counted_while_it_goes_on():
    with metered() as spent:
        burn(0.2)
        assert 0.2 <= spent().cpu_seconds < 10
        subprocess.run([sys.executable, "-c", BURN], check=True)
        assert spent().cpu_seconds >= 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell the peak of the whole process alone")
def test_the_peak_of_memory_is_that_of_the_block_and_not_of_what_was_before():
    with metered() as spent:
        much = np.ones(50_000_000)
        size = much.nbytes
        del much
        peak = spent().peak_bytes
    assert peak >= size
    with metered() as spent:
        assert 0 < spent().peak_bytes < peak - size / 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_a_card_that_is_not_there_costs_nothing():
    with metered() as spent:
        assert spent().gpu_seconds == 0
