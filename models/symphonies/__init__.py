"""Symphonies (Jiang et al., CVPR 2024), the occupancy network of the paper, in plain PyTorch."""

from models.symphonies.config import PRESETS, SymphoniesConfig
from models.symphonies.network import Symphonies
from models.symphonies.views import Views

__all__ = ["PRESETS", "Symphonies", "SymphoniesConfig", "Views"]
