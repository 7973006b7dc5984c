"""Films with several faults at once are read right, or refused with a reason."""

from pathlib import Path

import pytest

from tests.pipeline.media.recombined import draw, wrong


@pytest.mark.parametrize("seed", [*range(24), 1469])
def test_faults_that_come_together_are_read_right(tmp_path: Path, seed: int):
    film = draw(seed, tmp_path)
    assert wrong(film) == "", film.faults
