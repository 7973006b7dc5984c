"""How good the pipeline's results are, measured against the exact truth of rendered tours.

``youtube-occ score`` and the asset ``quality_report`` call ``tour_quality``; every row of the report is a
number with a target, per tour and over all tours.
"""

from pipeline.quality.comparison import plot_side_by_side, side_by_side
from pipeline.quality.report import QualityReport, tour_quality

__all__ = ["QualityReport", "plot_side_by_side", "side_by_side", "tour_quality"]
