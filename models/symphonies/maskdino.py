"""Start values of the image encoder from MaskDINO's checkpoints (Li et al., CVPR 2023; Apache-2.0).

``maskdino_r50_50e_300q_panoptic_pq53.0.pth`` exists with two sets of names: detectron2's, of MaskDINO's own release,
and mmdetection's, of Symphonies' release. Both are understood; MaskDINO's transformer decoder is left out.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from models.errors import WrongWeights
from models.symphonies.encoder import MaskDinoEncoder
from models.symphonies.network import Symphonies
from models.weights.checkpoint import load_strictly, read_state_dict

_RENAMED = (
    (r"^(sem_seg_head|panoptic_head)\.pixel_decoder\.", "pixel_decoder."),
    (r"^backbone\.stem\.conv1\.norm\.", "backbone.bn1."),
    (r"^backbone\.stem\.", "backbone."),
    (r"^backbone\.res([2-5])\.", lambda match: f"backbone.layer{int(match[1]) - 1}."),
    (r"\.conv([1-3])\.norm\.", r".bn\1."),
    (r"\.shortcut\.norm\.", ".downsample.1."),
    (r"\.shortcut\.", ".downsample.0."),
    (r"^pixel_decoder\.transformer\.encoder\.layers\.", "pixel_decoder.layers."),
    (r"^pixel_decoder\.transformer\.level_embed", "pixel_decoder.level_embed"),
    (r"\.ffn\.layers\.0\.0\.", ".linear1."),
    (r"\.ffn\.layers\.1\.", ".linear2."),
    (r"\.norms\.0\.", ".norm1."),
    (r"\.norms\.1\.", ".norm2."),
    (r"^pixel_decoder\.(adapter_1|layer_1)\.(norm|gn)\.", r"pixel_decoder.unused.\1.1."),
    (r"^pixel_decoder\.(adapter_1|layer_1)\.(conv\.)?weight", r"pixel_decoder.unused.\1.0.weight"),
    (r"^pixel_decoder\.mask_features\.", "pixel_decoder.unused.mask_features."),
)
"""Patterns of upstream's names and ours, applied in order."""


def load_image_weights(network: Symphonies, path: Path) -> None:
    """Fill backbone and pixel decoder of a network from a checkpoint; what follows them keeps its values.

    Raises:
        WrongWeights: the file is broken or unsafe, lacks an entry, or the network has the small encoder.
    """
    encoder = network.encoder
    if not isinstance(encoder, MaskDinoEncoder):
        message = f"{path.name} is for MaskDINO's encoder; this network has the small encoder"
        raise WrongWeights(message)
    state = {_ours(name): value for name, value in read_state_dict(path).items()}
    for part, module in (("backbone", encoder.backbone), ("pixel_decoder", encoder.pixel_decoder)):
        load_strictly(module, _under(part, state, module), f"{path.name} ({part})")


def _ours(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


def _under(part: str, state: Mapping[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Return the entries of a part; classifier and the like, which we do not have, are dropped."""
    ours = module.state_dict()
    return {
        name.removeprefix(f"{part}."): value for name, value in state.items() if name.removeprefix(f"{part}.") in ours
    }
