"""Where networks run."""

import torch

from models.errors import NoSuchDevice


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
