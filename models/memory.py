"""A bound on the memory that this process allocates, kept by the kernel: what goes beyond it raises ``MemoryError``.

What counts is what a process may write and nobody else shares (``RLIMIT_DATA`` of Linux): its heap, its arrays, and
weights with the size of their file, but not its code, nor address space that is reserved without being used, of which
torch and CUDA reserve more than any machine has. Other systems do not count so, and some kernels of sandboxes (gVisor)
take the bound and do not keep it; there nothing is bounded, which ``bound_is_kept`` tells.
"""

import contextlib
import functools
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

CGROUP, MEMINFO = Path("/sys/fs/cgroup/memory.max"), Path("/proc/meminfo")
PROBE = """
import mmap, resource
resource.setrlimit(resource.RLIMIT_DATA, (2**20, resource.getrlimit(resource.RLIMIT_DATA)[1]))
mmap.mmap(-1, 2**26, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
"""
_OUT_OF_MAIN_MEMORY = "DefaultCPUAllocator", "bad_alloc"
"""Of these one is in every message of torch about memory of the processor; which words follow depends on the system."""

_changing = threading.RLock()


@functools.cache
def bound_is_kept() -> bool:
    """Tell whether this kernel refuses what goes beyond a bound, as a process of its own tries it."""
    if sys.platform != "linux":
        return False
    tried = subprocess.run([sys.executable, "-I", "-c", PROBE], capture_output=True, check=False)  # noqa: S603 - ours
    return tried.returncode != 0


@contextlib.contextmanager
def limited_memory(most: int) -> Iterator[None]:
    """Let this process have at most ``most`` bytes until the block ends; a stricter bound that holds already stays."""
    if sys.platform != "linux":
        yield
        return
    with _changing:
        before, hard = resource.getrlimit(resource.RLIMIT_DATA)
        bounds = [bound for bound in (most, before, hard) if bound != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    finally:
        with _changing:
            resource.setrlimit(resource.RLIMIT_DATA, (before, hard))


@contextlib.contextmanager
def limited_growth(most: int) -> Iterator[None]:
    """Let this process have at most ``most`` bytes more than now until the block ends; one block at a time."""
    with _changing, limited_memory(data_bytes() + most):
        yield


def data_bytes() -> int:
    """Return the bytes of this process that count."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), 0)


def machine_bytes() -> int:
    """Return the memory of this machine, or of the container where that has less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        machine = min(machine, int(CGROUP.read_text(encoding="utf-8")))
    return machine


def available_bytes() -> float:
    """Return what this process may still take of main memory: of the machine, its container, and its own bound.

    Infinite where the system tells nothing.
    """
    left = [float("inf")]
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = MEMINFO.read_text(encoding="utf-8").splitlines()
        left.append(1024 * int(next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))))
    with contextlib.suppress(OSError, ValueError):
        most = int(CGROUP.read_text(encoding="utf-8"))
        left.append(most - int(CGROUP.with_name("memory.current").read_text(encoding="utf-8")))
    if sys.platform == "linux":
        bound = resource.getrlimit(resource.RLIMIT_DATA)[0]
        left += [] if bound == resource.RLIM_INFINITY else [bound - data_bytes()]
    return max(min(left), 0.0)


def free_bytes(device: "torch.device") -> float:
    """Return what is free on a device: of a card also what torch holds of it without using it."""
    import torch

    if device.type != "cuda":
        return available_bytes()
    held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + held


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that a device, be it a graphics card or the processor, has no more memory."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or is_out_of_main_memory(error)


def is_out_of_main_memory(error: BaseException) -> bool:
    """Tell whether an error says that the machine has no more memory; torch says it by a plain ``RuntimeError``."""
    by_words = isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MAIN_MEMORY)
    return by_words or isinstance(error, MemoryError)
