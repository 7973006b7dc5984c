"""Which family of networks weights are of, told by their name or by their tensors, before anything is made of them."""

from collections.abc import Iterable

from pydantic import ValidationError

from models.errors import WrongWeights
from models.weights.registry import SHIPPED_SHA256, WEIGHTS

DA3, DA3_METRIC, MOGE, DUST3R = "Depth Anything 3", "Depth Anything 3 METRIC", "MoGe-2", "DUSt3R"
SAN, PLACES365, INDOOR, EFFICIENTNET = "SAN", "Places365", "small indoor classifier", "EfficientNet-Lite0"

_DA3_ROOT = "model."
"""What stands before every name in a released file of Depth Anything 3."""

_OF_NAMES = {
    "da3_metric_": DA3_METRIC,
    "da3_": DA3,
    "moge_": MOGE,
    "dust3r_": DUST3R,
    "dinov2_": "DINOv2",
    "san_": SAN,
    "resnet": PLACES365,
    "maskdino_": "MaskDINO",
    "indoor_": INDOOR,
}
"""How registered and shipped names begin; the first that fits counts."""

_OF_TENSORS = {
    "head.scratch.sky_output_conv2.": DA3_METRIC,
    "backbone.pretrained.": DA3,
    "encoder.backbone.": MOGE,
    "dec_blocks.": DUST3R,
    "embeddings.": "DINOv2",
    "side_adapter_network.": SAN,
    "coarse_masks.": SAN,
    "layer1.0.conv1.": PLACES365,
    "stages.0.0.": INDOOR,
    "_conv_stem.": EFFICIENTNET,
    "sem_seg_head.": "MaskDINO",
    "panoptic_head.": "MaskDINO",
}
"""How the name of a tensor begins that no other family has; METRIC has those of Depth Anything 3 besides its own."""


def check_name(name: str, *wanted: str) -> None:
    """Make sure that a name of weights, if it is that of a family, is of one of those that are wanted.

    Raises:
        WrongWeights: it is of another one.
    """
    found = family_of_name(name)
    if found not in (None, *wanted):
        names = [*WEIGHTS, *SHIPPED_SHA256]
        fitting = ", ".join(other for other in names if family_of_name(other) in wanted)
        either = " or a ".join(wanted)
        raise WrongWeights(f"{name} is the name of a {found}, and a {either} is wanted: {fitting}, or a path")


def check_tensors(names: Iterable[str], wanted: str, origin: str) -> None:
    """Make sure that the names of tensors, if they tell of a family, tell of the one that is wanted.

    Raises:
        WrongWeights: they tell of another one.
    """
    found = families_of(names)
    if found and wanted not in found:
        others = " and a ".join(sorted(found))
        raise WrongWeights(f"{origin} holds a {others}: these are not the weights of a {wanted}, which is wanted")


def family_of_name(name: str) -> str | None:
    """Return the family that a registered or shipped name is of; None for other words."""
    return _family(name, _OF_NAMES)


def families_of(names: Iterable[str]) -> set[str]:
    """Return the families that names of tensors tell of."""
    return {family for name in names if (family := _family(name.removeprefix(_DA3_ROOT), _OF_TENSORS))}


def in_words(error: Exception) -> str:
    """Return in one line what is wrong with the sizes of a network."""
    if isinstance(error, KeyError):
        return f"there is no {error}"
    if isinstance(error, ValidationError):
        wrong = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors(include_url=False))
        return "; ".join(f"{place}: {said}" if place else said for place, said in wrong)
    return " ".join(str(error).split())


def _family(name: str, beginnings: dict[str, str]) -> str | None:
    return next((family for beginning, family in beginnings.items() if name.startswith(beginning)), None)
