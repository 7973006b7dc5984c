"""DUSt3R in plain PyTorch: ``Dust3r.load(name)``, ``encode``, ``decode``."""

from models.dust3r.config import Dust3rConfig
from models.dust3r.heads import PATCH, PointMap
from models.dust3r.network import Dust3r, PreparedView, Tokens

__all__ = ["PATCH", "Dust3r", "Dust3rConfig", "PointMap", "PreparedView", "Tokens"]
