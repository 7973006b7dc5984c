import re
from pathlib import Path

from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.examples.scripts import run_script


def test_clouds_stand_upright_with_their_walls_along_the_axes(tmp_path: Path):
    unpack_earlier_dataset(tmp_path)
    (said,) = run_script(tmp_path, "spatiallm_input.py", "data", "clouds").splitlines()
    found = re.fullmatch(
        rf"{VIDEO}_001\.ply: ([\d,]+) points, ([\d.]+) x ([\d.]+) x ([\d.]+) m; (\d+)% of the walls .*", said
    )
    assert found is not None, said
    points, width, depth, height, aligned = (float(each.replace(",", "")) for each in found.groups())
    assert points > 10_000
    assert 1 < width < 12 > depth > 1
    assert 1.5 < height < 4, "a room, floor to ceiling"
    assert aligned > 55, "a third of all directions are that near to an axis"
