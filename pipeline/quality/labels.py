"""How good a segmenter's labels are where cameras and depth are exactly known, so that nothing else can go wrong."""

from collections.abc import Sequence

from pipeline.contract.overlap import OverlapCounts
from pipeline.geometry.filling import VoxelSettings
from pipeline.quality.measures import overlaps
from pipeline.stages.semantics.base import Segmenter
from pipeline.tours.views.shots import tour_shots, true_clip_of

FRAMES_A_SHOT = 4


def labels_on_true_cameras(segmenter: Segmenter, seeds: Sequence[int]) -> dict[str, float]:
    """Return IoU and mIoU of grids, and mIoU of pixels, over four frames of every indoor shot of tours."""
    pixels, grids = OverlapCounts.nothing(), OverlapCounts.nothing()
    for seed in seeds:
        for shot in tour_shots(seed, FRAMES_A_SHOT, 480, 640, garden=False):
            truth = true_clip_of(shot)
            rgb = shot.views.pictures.permute(0, 2, 3, 1).contiguous().numpy()
            of_pixels, _, of_grids = overlaps(truth.scene, segmenter.segment(rgb, truth.scene), truth, VoxelSettings())
            pixels, grids = pixels + of_pixels, grids + of_grids
    return {"IoU": grids.iou, "mIoU": grids.miou, "mIoU of pixels": pixels.miou}
