"""Stage 5: a reconstruction up to scale becomes a scene in metres, z up, floor at z = 0, walls along x and y."""

from pipeline.metric.scene import to_metric
from pipeline.metric.settings import MetricSettings, OutlierSettings

__all__ = ["MetricSettings", "OutlierSettings", "to_metric"]
