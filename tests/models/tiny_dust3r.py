"""Small DUSt3R networks with name-seeded weights, as upstream's reference outputs were computed with."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import name_seeded
from models.dust3r import Dust3r, Dust3rConfig
from tests.paths import FIXTURES

LINEAR = Dust3rConfig(
    enc_embed_dim=192, enc_depth=4, enc_num_heads=3, dec_embed_dim=128, dec_depth=3, dec_num_heads=2, head_type="linear"
)
DPT = LINEAR.model_copy(update={"dec_depth": 10, "head_type": "dpt"})

STEMMED = Dust3rConfig(
    enc_embed_dim=64, enc_depth=1, enc_num_heads=1, dec_embed_dim=64, dec_depth=1, dec_num_heads=1, head_type="linear",
    img_size=(48, 64), stem=(4, 4, 8), position_grid=(3, 4),
)  # fmt: skip
"""As small as they go, with a stem and a table of positions like those of the shipped network."""


def expression(config: Dust3rConfig) -> str:
    """Describe a network as official checkpoints do."""
    sizes = config.model_dump(exclude={"head_type", "img_size"})
    return (
        "AsymmetricCroCo3DStereo(pos_embed='RoPE100', patch_embed_cls='ManyAR_PatchEmbed', img_size=(512, 512), "
        f"head_type='{config.head_type}', output_mode='pts3d', depth_mode=('exp', -inf, inf), "
        f"conf_mode=('exp', 1, inf), {', '.join(f'{name}={size}' for name, size in sizes.items())})"
    )


def build(config: Dust3rConfig) -> Dust3r:
    """Make a network with name-seeded weights, ready for inference."""
    network = Dust3r(config).eval().requires_grad_(requires_grad=False)
    name_seeded.fill(network)
    return network


def images(*names: str, height: int = 80, width: int = 112) -> Tensor:
    """Stack name-seeded images (n, 3, height, width)."""
    return torch.from_numpy(np.stack([name_seeded.image(name, height, width) for name in names]))


def reference(name: str) -> dict[str, NDArray[np.float32]]:
    """Every second row and column of upstream's outputs for a network called ``name``."""
    with np.load(FIXTURES / "dust3r_outputs.npz") as stored:
        return {key.split("/")[1]: stored[key] for key in stored if key.startswith(name)}
