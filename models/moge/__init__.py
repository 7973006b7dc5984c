"""MoGe-2 in plain PyTorch: ``Moge.load(name)``, ``see`` for metric points, depth, normals and field of view."""

from models.moge.config import MogeConfig
from models.moge.geometry import MogeViews, metric_views
from models.moge.network import Moge
from models.moge.raw import MogeRaw
from models.moge.small import SmallMoge

AnyMoge = Moge | SmallMoge

__all__ = ["AnyMoge", "Moge", "MogeConfig", "MogeRaw", "MogeViews", "SmallMoge", "metric_views"]
