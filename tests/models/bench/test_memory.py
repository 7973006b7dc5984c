import subprocess
import sys

import numpy as np

from models.bench.memory import peak_bytes
from tests.paths import ROOT

FILL = """
import numpy as np
from models.bench.memory import peak_bytes
before = peak_bytes()
filled = np.ones(256 << 20, np.uint8)
held = peak_bytes()
del filled
print(before, held, peak_bytes())
"""


def test_the_peak_grows_by_what_is_filled_and_stays_when_it_is_let_go():
    filled = subprocess.run([sys.executable, "-c", FILL], check=True, capture_output=True, text=True, cwd=ROOT)
    before, held, after = map(int, filled.stdout.split())
    # the kernel counts pages in batches, and the process does little else in between
    assert abs(held - before - (256 << 20)) < 4 << 20
    assert abs(after - held) < 4 << 20


def test_a_child_does_not_inherit_what_its_parent_held():
    held = np.ones(512 << 20, np.uint8)
    assert peak_bytes() > held.nbytes
    code = "from models.bench.memory import peak_bytes; print(peak_bytes())"
    child = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert int(child.stdout) < 100 << 20
