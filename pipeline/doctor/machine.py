"""The machine: versions, limits of processes, shared memory, the graphics card."""

import platform
import resource
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from models.errors import NoSuchDevice
from models.memory import bound_is_kept, machine_bytes
from pipeline.doctor.finding import Diagnosis, note, ok, wrong
from pipeline.stages.base import SettingsTree
from pipeline.stages.named_devices import named_devices

PACKAGES = ("youtube-occ", "torch", "av", "pycolmap", "zarr", "dagster")
PYTHON_MIN = (3, 11)
HANDLES_MIN, HANDLES_USUAL = 256, 1024
"""Open files: Zarr's shards, Parquet and a database of COLMAP's together need some hundred."""

SHM_MIN_BYTES = 128 << 20
"""Docker gives 64 MB, with which loaders of a training hang or die."""


def versions() -> Diagnosis:
    """Tell the versions of Python and of the packages that matter most."""
    installed = {name: _version(name) for name in PACKAGES}
    found = ", ".join([f"Python {platform.python_version()}", *(f"{name} {what}" for name, what in installed.items())])
    lacking = [name for name, what in installed.items() if what == "missing"]
    if lacking or sys.version_info < PYTHON_MIN:
        return wrong("versions", found, "install the project into a fresh environment with 'make install'")
    return ok("versions", found)


def file_handles() -> Diagnosis:
    """Tell how many files a process may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = f"{soft} open files a process"
    if soft < HANDLES_MIN:
        most = "unlimited" if hard == resource.RLIM_INFINITY else str(hard)
        return wrong("file handles", found, f"raise it with 'ulimit -n {HANDLES_USUAL}' (this user may go to {most})")
    few = soft < HANDLES_USUAL
    return note("file handles", found, f"'ulimit -n {HANDLES_USUAL}' is usual") if few else ok("file handles", found)


def shared_memory(folder: Path = Path("/dev/shm")) -> Diagnosis:  # noqa: S108 - it is what is asked about
    """Tell how much memory processes may share, which loaders of trainings do."""
    if not folder.is_dir():
        return note("shared memory", f"no {folder} on this system")
    total = shutil.disk_usage(folder).total
    found = f"{folder} has {total / 2**20:.0f} MB"
    if total < SHM_MIN_BYTES:
        return wrong("shared memory", found, "start the container with --shm-size=2g, or train with loop.workers=0")
    return ok("shared memory", found)


def memory() -> Diagnosis:
    """Tell how much memory there is, and whether this system keeps a process below its share."""
    found = f"{machine_bytes() / 2**30:.0f} GB"
    if bound_is_kept():
        return ok("memory", found)
    return note("memory", f"{found}; this system keeps no bound on a process, so bound the container (--memory)")


def graphics_card() -> Diagnosis:
    """Tell which card torch sees, and whether it computes in bfloat16."""
    try:
        import torch
    except (ImportError, OSError) as error:  # what it imports may want a temporary folder, or a library
        return note("GPU", f"torch cannot be imported ({str(error).strip()}), so that nothing is known of a card")
    if not torch.cuda.is_available():
        if Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi"):
            remedy = "install a torch that fits the driver, or give the container the card (--gpus all)"
            return wrong("GPU", "there is a driver of NVIDIA, and torch sees no card", remedy)
        return note("GPU", "none, all is computed on the CPU; dust3r and san take minutes a clip there")
    return ok("GPU", "; ".join(map(_card, range(torch.cuda.device_count()))))


def devices(settings: SettingsTree, until: str | None = None) -> list[Diagnosis]:
    """Tell which devices that settings name this machine does not have; nothing where it has all."""
    named = [(setting, device) for setting, device in named_devices(settings, until) if device != "cpu"]
    return [found for setting, device in named if (found := _of_device(setting, device))]


def _of_device(setting: str, device: str) -> Diagnosis | None:
    from models.device import device_of

    try:
        device_of(device)
    except NoSuchDevice as error:
        return wrong("device", f"{setting}: {error}", "or build on a machine that has it")
    return None


def _card(index: int) -> str:
    import torch

    from models.device import has_bfloat16

    known = torch.cuda.get_device_properties(index)
    halves = "bfloat16" if has_bfloat16(torch.device("cuda", index)) else "no bfloat16, float32 is used"
    return f"{known.name}, {known.total_memory / 2**30:.0f} GB, {halves}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
