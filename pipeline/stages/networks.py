"""The networks of this process: each is loaded once, whatever videos, clips and backends ask for it.

Of what one function loads one network is kept. Another file of weights, or other settings, take its place, and the
older one goes before the newer one comes. Where all together take too much of the memory that they lie in, those go
that were asked for longest ago. What is asked of a network must not change it.
"""

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from models.memory import machine_bytes
from pipeline.contract.errors import WeightsReplaced

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MOST_KEPT = 0.5
"""Share of a device's memory that networks may take while nobody uses them; a worker that holds more is replaced."""


class HasParameters(Protocol):
    """A network, all of which lies on one device."""

    def parameters(self) -> "Iterator[Tensor]":
        """Return its parameters."""
        ...


LoadedT = TypeVar("LoadedT", bound=HasParameters)


class LoadedNetworks:
    """Networks by the function that loads them, those that were asked for longest ago first.

    share: of a device's memory that they may take together; the one that was asked for last is kept in any case.
    """

    def __init__(self, share: float = MOST_KEPT) -> None:
        self._share = share
        self._kept: dict[Callable[..., Any], _Kept] = {}
        self._turn = threading.RLock()

    def get(
        self,
        load: Callable[..., LoadedT],
        *settings: Hashable,
        now: Callable[[], Mapping[str, str]],
        noted: Mapping[str, str] | None = None,
    ) -> LoadedT:
        """Return ``load(*settings)``, which is called where the network that is kept is not that.

        load: a function of a module. now: returns the SHA-256 of its files of weights as they are, by name, so that a
        file that was replaced is seen. noted: what the stage has noted of them, if it has before.

        Raises:
            WeightsReplaced: what was loaded is not what was noted.
        """
        noted = now() if noted is None else noted
        wanted = (settings, tuple(sorted(noted.items())))
        with self._turn:
            kept = self._kept.pop(load, None)
            if kept is None or kept.wanted != wanted:
                kept = None  # its memory is free now, unless somebody still works with it
                network = load(*settings)
                if now() != noted:
                    raise WeightsReplaced(f"{', '.join(noted)} was replaced while it was read: run the stage again")
                kept = _Kept(wanted, network)
            self._kept[load] = kept
            self._make_room(kept.device)
            found: LoadedT = kept.network
            return found

    def _make_room(self, device: "torch.device") -> None:
        beside = [load for load, kept in self._kept.items() if kept.device == device][:-1]
        while beside and self._bytes_on(device) > self._share * _memory_of(device):
            del self._kept[beside.pop(0)]

    def _bytes_on(self, device: "torch.device") -> int:
        return sum(kept.bytes for kept in self._kept.values() if kept.device == device)


class _Kept(NamedTuple):
    """A network, and what it was asked for by: settings, and weights by name of file."""

    wanted: Hashable
    network: Any

    @property
    def device(self) -> "torch.device":
        import torch

        devices = (tensor.device for tensor in self.network.parameters())
        return next(devices, torch.device("cpu"))  # a network without parameters takes no room anywhere

    @property
    def bytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.network.parameters())


def _memory_of(device: "torch.device") -> int:
    import torch

    return torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else machine_bytes()


loaded = LoadedNetworks().get
"""Those of this process: the one way in which a stage, or whoever asks in words, comes by a network."""
