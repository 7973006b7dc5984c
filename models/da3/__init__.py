"""Depth Anything 3 in plain PyTorch: ``Da3.load(name)`` for any views, ``Da3Metric.load(name)`` for metres."""

from models.da3.config import Da3Config
from models.da3.metric import Da3Metric, MetricView
from models.da3.network import Da3, Da3Views

__all__ = ["Da3", "Da3Config", "Da3Metric", "Da3Views", "MetricView"]
