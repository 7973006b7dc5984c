"""Labels and regions as rows of the group ``semantics``."""

from dataclasses import replace

import numpy as np

from pipeline.contract.arrays import Floats, Images
from pipeline.contract.classes import SemanticClass
from pipeline.contract.padding import shown_share
from pipeline.contract.records import Semantics
from pipeline.store.group_writer import GroupWriter

EMBEDDINGS_PER_CHUNK = 256


def append_semantics(group: GroupWriter, semantics: Semantics, regions_before: int) -> int:
    """Append the rows of one clip to the group ``semantics``; returns the number of region embeddings so far.

    Where a backend grades no confidence, a label counts as certain (255). Region r of frame f has its embedding, if
    there are any, in row ``region_offset[f] + r - 1`` of ``region_embeddings``.
    """
    labelled = np.where(semantics.labels == SemanticClass.UNKNOWN, 0, 255).astype(np.uint8)
    still = np.zeros(semantics.labels.shape, np.bool_)
    group.append("labels", semantics.labels)
    group.append("regions", semantics.regions)
    group.append("confidence", labelled if semantics.confidence is None else semantics.confidence)
    group.append("moving", still if semantics.moving is None else semantics.moving)
    if semantics.region_embeddings is None or semantics.region_offsets is None:
        group.append("region_offset", np.full(len(semantics.labels), regions_before, np.int64))
        return regions_before
    group.append("region_offset", regions_before + semantics.region_offsets[:-1])
    group.append("region_embeddings", semantics.region_embeddings, EMBEDDINGS_PER_CHUNK)
    return regions_before + len(semantics.region_embeddings)


def only_shown(found: Semantics, rgb: Images) -> Semantics:
    """Return labels and regions of a clip's pictures (n, h, w, 3) without those of black columns at their sides."""
    shown = shown_share(rgb, found.labels.shape[2])
    if shown.all():
        return found
    return replace(
        found,
        labels=np.where(shown, found.labels, np.uint8(SemanticClass.UNKNOWN)),
        regions=np.where(shown, found.regions, np.uint16(0)),
        confidence=None if found.confidence is None else np.where(shown, found.confidence, np.uint8(0)),
        moving=None if found.moving is None else found.moving & shown,
    )


def blank_semantics(depth: Floats) -> Semantics:
    """Return frames (n, h, w) in which no pixel has a label."""
    unknown = np.full(depth.shape, SemanticClass.UNKNOWN, np.uint8)
    return Semantics(unknown, np.zeros(depth.shape, np.uint16))
