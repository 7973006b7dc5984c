"""Gives our encoder's entries the names they have in the two releases of MaskDINO's checkpoint."""

import re

from torch import Tensor

COMMON = (
    (r"^pixel_decoder\.layers\.", "pixel_decoder.transformer.encoder.layers."),
    (r"^pixel_decoder\.level_embed", "pixel_decoder.transformer.level_embed"),
    (r"^pixel_decoder\.unused\.mask_features", "pixel_decoder.mask_features"),
)
OF = {
    "mmdetection": (
        *COMMON,
        (r"\.linear1\.", ".ffn.layers.0.0."),
        (r"\.linear2\.", ".ffn.layers.1."),
        (r"(encoder\.layers\.\d)\.norm1\.", r"\1.norms.0."),
        (r"(encoder\.layers\.\d)\.norm2\.", r"\1.norms.1."),
        (r"unused\.(adapter_1|layer_1)\.0\.", r"\1.conv."),
        (r"unused\.(adapter_1|layer_1)\.1\.", r"\1.gn."),
        (r"^pixel_decoder\.", "panoptic_head.pixel_decoder."),
    ),
    "detectron2": (
        *COMMON,
        (r"unused\.(adapter_1|layer_1)\.0\.", r"\1."),
        (r"unused\.(adapter_1|layer_1)\.1\.", r"\1.norm."),
        (r"^pixel_decoder\.", "sem_seg_head.pixel_decoder."),
        (r"^backbone\.bn1\.", "backbone.stem.conv1.norm."),
        (r"^backbone\.conv1\.", "backbone.stem.conv1."),
        (r"^backbone\.layer(\d)\.", lambda match: f"backbone.res{int(match[1]) + 1}."),
        (r"(res\d\.\d)\.bn(\d)\.", r"\1.conv\2.norm."),
        (r"\.downsample\.0\.", ".shortcut."),
        (r"\.downsample\.1\.", ".shortcut.norm."),
    ),
}


def upstream_names(entries: dict[str, Tensor], naming: str) -> dict[str, Tensor]:
    renamed = {}
    for name, value in entries.items():
        upstream = name
        for pattern, replacement in OF[naming]:
            upstream = re.sub(pattern, replacement, upstream)
        renamed[upstream] = value
    return renamed
