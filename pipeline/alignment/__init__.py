"""Global alignment of pairwise pointmaps (DUSt3R section 3.3) for video clips: ``align(predictions, settings)``."""

from pipeline.alignment.align import align
from pipeline.alignment.graph import video_pairs
from pipeline.alignment.records import Alignment, Known, PairPredictions
from pipeline.alignment.settings import AlignmentSettings

__all__ = ["Alignment", "AlignmentSettings", "Known", "PairPredictions", "align", "video_pairs"]
