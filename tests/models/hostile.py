"""Files that are no weights of the network that is asked for, for every network alike."""

import pickle
from collections.abc import Callable
from pathlib import Path

import torch

WEB_PAGE = b"<!DOCTYPE html><html><head><title>404</title></head></html>"


class Payload:
    """What runs code when it is unpickled."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return (exec, (f"open({str(self.victim)!r}, 'w').close()",))


def evil(path: Path, state: dict[str, torch.Tensor], *, plain: bool) -> Path:
    """Write a checkpoint that would make a file called ``ran`` beside itself; return that one's path."""
    victim = path.with_name("ran")
    if plain:
        path.write_bytes(pickle.dumps({"model": Payload(victim)}))
    else:
        torch.save({"model": state, "model_config": Payload(victim)}, path)
    return victim
