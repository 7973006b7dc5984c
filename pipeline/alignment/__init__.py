"""Global alignment of pairwise pointmaps (DUSt3R section 3.3) for video clips.

``align(predictions, settings)`` lies in ``pipeline.alignment.align``, which imports torch; the rest is light.
"""

from pipeline.alignment.graph import video_pairs
from pipeline.alignment.records import Alignment, Known, PairPredictions
from pipeline.alignment.settings import AlignmentSettings

__all__ = ["Alignment", "AlignmentSettings", "Known", "PairPredictions", "video_pairs"]
