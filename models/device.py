"""Where networks run."""

import torch

from models.errors import NoSuchDevice

BFLOAT16_FROM = (8, 0)
"""Compute capability from which cards of NVIDIA multiply in bfloat16 (Ampere); older ones only pretend to, slowly."""


def device_of(name: str | None) -> torch.device:
    """Return the device called ``name``; without a name the GPU where there is one, else the CPU.

    Raises:
        NoSuchDevice: torch does not know the name, or this machine has no such device.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise NoSuchDevice(
            f"device {name!r} cannot be used here ({reason}); leave it out to take what there is"
        ) from error
    return device


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether a device computes in bfloat16 itself; of CPUs it is said that they do, as torch sees to it."""
    if device.type != "cuda":
        return device.type == "cpu"
    if torch.version.hip is not None:
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return torch.cuda.get_device_capability(device) >= BFLOAT16_FROM


def in_bfloat16(precision: str, device: torch.device) -> bool:
    """Tell whether to compute in bfloat16.

    precision: ``bfloat16``, ``float32``, or ``auto``: bfloat16 on GPUs that have it, float32 elsewhere.

    Raises:
        NoSuchDevice: bfloat16 is demanded of a device that has none.
    """
    if precision == "auto":
        return device.type == "cuda" and has_bfloat16(device)
    if precision == "bfloat16" and not has_bfloat16(device):
        raise NoSuchDevice(f"{device} does not compute in bfloat16; set the precision to float32, or leave it at auto")
    return precision == "bfloat16"
