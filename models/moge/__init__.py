"""MoGe-2 in plain PyTorch: ``Moge.load(name)``, ``see`` for metric points, depth, normals and field of view."""

from models.moge.config import MogeConfig
from models.moge.geometry import MogeViews, metric_views
from models.moge.network import Moge, MogeRaw

__all__ = ["Moge", "MogeConfig", "MogeRaw", "MogeViews", "metric_views"]
