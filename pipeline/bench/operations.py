"""Operations of the networks of a clip of 640x480 frames, 10^9 multiplications and additions, by their architecture."""

import numpy as np
import torch
from numpy.typing import NDArray

from models.bench.operations import counted
from models.da3 import Da3
from models.da3.config import Da3Config
from models.dust3r import Dust3r, Dust3rConfig, PreparedView
from models.moge.config import MogeConfig
from models.moge.network import Moge
from pipeline.bench.clip import SIZE
from pipeline.stages.reconstruction.dust3r.alignment.graph import video_pairs
from pipeline.stages.reconstruction.dust3r.settings import Dust3rSettings

DA3_SMALL = Da3Config(width=384, heads=6, channels=(48, 96, 192, 384), features=64)
MOGE_SMALL = MogeConfig(width=384, widths=(384, 256, 128, 64, 32))


def dust3r_gflop(frames: int, config: Dust3rConfig) -> float:
    """Of DUSt3R: every picture is encoded and prepared for both sides once, every pair of the backend's is decoded."""
    size = torch.Size((1, 3, *SIZE))
    encoding = counted(lambda: Dust3r(config).encode(torch.zeros(size)))
    picture = counted(lambda: _prepared(Dust3r(config), torch.zeros(size)))
    pair = counted(lambda: Dust3r(config)(torch.zeros(size), torch.zeros(size))) - encoding - picture
    return (frames * picture + len(edges_of(frames)) * pair) / 1e9


def _prepared(network: Dust3r, image: torch.Tensor) -> list[PreparedView]:
    tokens = network.encode(image)
    return [network.prepare(tokens, side) for side in (1, 2)]


def edges_of(frames: int) -> NDArray[np.int64]:
    """Return the pairs (E, 2) that the backend ``dust3r`` takes by default."""
    settings = Dust3rSettings()
    return video_pairs(frames, settings.window, settings.strides, settings.complete_up_to)


def da3_gflop(frames: int, config: Da3Config, size: int = 504) -> float:
    """Of Depth Anything 3 over all frames at once, without rays; ``size``: pixels of the long side."""
    views = torch.Size((1, frames, 3, size * 3 // 4, size))
    return counted(lambda: Da3(config)(torch.zeros(views), rays=False)) / 1e9


def moge_gflop(frames: int, config: MogeConfig) -> float:
    """Of MoGe-2 at its coarsest, one frame after another."""
    return frames * counted(lambda: Moge(config)(torch.zeros(1, 3, 480, 640), level=0)) / 1e9
