import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models import memory
from models.memory import available_bytes, bound_is_kept, data_bytes, free_bytes, limited_growth, machine_bytes
from tests.paths import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux alone")

kept = pytest.mark.skipif(not bound_is_kept(), reason="this kernel takes RLIMIT_DATA and does not keep it")


def test_whether_a_kernel_keeps_the_bound_is_what_a_process_beyond_it_sees():
    code = """
import resource
resource.setrlimit(resource.RLIMIT_DATA, (2**26, resource.getrlimit(resource.RLIMIT_DATA)[1]))
bytearray(2**28)
"""
    beyond = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert bound_is_kept() == (b"MemoryError" in beyond.stderr)


@kept
def test_what_goes_beyond_the_bound_is_an_error_and_what_stays_below_it_is_not():
    assert allocated("limited_growth(64 * MB)", 16, 256) == ["16 MB", "beyond"]
    assert allocated("contextlib.nullcontext()", 16, 256) == ["16 MB", "256 MB"]


@kept
def test_a_stricter_bound_that_holds_already_stays():
    assert allocated("limited_growth(64 * MB), limited_memory(data_bytes() + 1024 * MB)", 256) == ["beyond"]


@kept
def test_the_bound_ends_with_its_block():
    assert allocated("contextlib.nullcontext()", 128, before="with limited_growth(64 * MB): pass") == ["128 MB"]


def allocated(bounds: str, *megabytes: int, before: str = "") -> list[str]:
    """What a process of its own can allocate: one that has run other tests has freed memory at hand, which counts."""
    code = f"""
import contextlib
import numpy as np
from models.memory import data_bytes, limited_growth, limited_memory
MB = 2**20
{before}
with {bounds}:
    for size in {megabytes}:
        try:
            assert np.ones(size * MB, np.uint8).all()
            print(size, "MB")
        except MemoryError:
            print("beyond")
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return ended.stdout.splitlines()


def test_torch_reads_weights_and_multiplies_within_what_it_uses(tmp_path: Path):
    """Weights count with the size of their file, here 256 MB; address space that is reserved does not."""
    code = """
import sys, mmap, torch
from safetensors.torch import load_file, save_file
from models.memory import limited_growth
save_file({"a": torch.ones(64 * 2**20)}, sys.argv[1])
with limited_growth(400 * 2**20):
    reserved = mmap.mmap(-1, 2**36, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=0)
    weights = load_file(sys.argv[1])["a"]
    print(float((weights[:1000].reshape(10, 100) @ weights[:1000].reshape(100, 10)).sum()))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.safetensors")], cwd=ROOT, capture_output=True, check=False
    )
    assert ended.stdout == b"10000.0\n", ended.stderr.decode()


def test_a_machine_has_more_memory_than_this_process():
    assert 0 < data_bytes() < machine_bytes()


def test_what_is_available_is_bounded_by_the_machine_and_by_the_process():
    left = available_bytes()
    assert 0 < left <= machine_bytes()
    with limited_growth(50_000_000):
        assert available_bytes() == pytest.approx(min(50_000_000, left), rel=0.1)


def test_what_a_container_or_a_machine_has_left_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "CGROUP", tmp_path / "memory.max")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    assert available_bytes() == float("inf"), "nothing is known"
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 3000 kB\n")
    assert available_bytes() == 3000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    assert available_bytes() == 3000 * 1024
    (tmp_path / "memory.max").write_text("2000000\n")
    (tmp_path / "memory.current").write_text("1500000\n")
    assert available_bytes() == 500_000
    assert free_bytes(torch.device("cpu")) == 500_000
