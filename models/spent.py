"""What a piece of work takes of this machine: processor, graphics card, memory; its subprocesses included."""

import contextlib
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from models.gpu import gpu_seconds

KIB = 1024 if sys.platform != "darwin" else 1
"""Bytes of the unit in which the system tells peaks."""

_RESET_PEAK = "5"


class Spent(NamedTuple):
    """Seconds of one processor core; seconds of the whole graphics card; bytes of memory at most, of one process."""

    cpu_seconds: float
    gpu_seconds: float
    peak_bytes: int


@contextlib.contextmanager
def metered() -> Iterator[Callable[[], Spent]]:
    """Give what tells how much the block has spent so far. One block at a time: the peak is the process's."""
    is_reset, cpu, gpu, of_children = _forget_peak(), _cpu_seconds(), gpu_seconds(), _peak(resource.RUSAGE_CHILDREN)

    def so_far() -> Spent:
        own = _peak_since() if is_reset else _peak(resource.RUSAGE_SELF)
        children = _peak(resource.RUSAGE_CHILDREN)
        peak = max(own, children if children > of_children else 0)
        return Spent(_cpu_seconds() - cpu, gpu_seconds() - gpu, peak)

    yield so_far


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _peak(who: int) -> int:
    return resource.getrusage(who).ru_maxrss * KIB


def _forget_peak() -> bool:
    """Begin anew with this process's peak of memory; return whether the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
        return _peak_since() > 0
    return False


def _peak_since() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
