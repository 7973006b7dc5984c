"""Name-seeded weights as files, with the config.json that a size that was not released needs."""

from pathlib import Path

import torch
from safetensors.torch import save_file


def save_da3(folder: Path, network: torch.nn.Module, layers: tuple[int, ...], camera_heads: int) -> None:
    state = {f"model.{name}": tensor.clone().contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, folder / "model.safetensors")
    config = f'{{"config": {{"net": {{"out_layers": {list(layers)}}}, "cam_enc": {{"num_heads": {camera_heads}}}}}}}'
    (folder / "config.json").write_text(config)
