"""Which family of networks weights are of, told by their name or by their tensors, before anything is made of them."""

from collections.abc import Iterable

from pydantic import ValidationError

from models.errors import WrongWeights
from models.weights.registry import WEIGHTS

DA3, MOGE, DUST3R = "Depth Anything 3", "MoGe-2", "DUSt3R"

_OF_NAMES = {
    "da3_": DA3,
    "moge_": MOGE,
    "dust3r_": DUST3R,
    "dinov2_": "DINOv2",
    "san_": "SAN",
    "resnet": "Places365",
    "maskdino_": "MaskDINO",
    "indoor_": "small indoor classifier",
}
"""How registered and shipped names begin."""

_OF_TENSORS = {
    "backbone.pretrained.": DA3,
    "encoder.backbone.": MOGE,
    "dec_blocks.": DUST3R,
    "embeddings.": "DINOv2",
    "side_adapter_network.": "SAN",
    "coarse_masks.": "SAN",
    "layer1.0.conv1.": "Places365",
}
"""How the name of a tensor begins that no other family has."""


def check_name(name: str, wanted: str) -> None:
    """Make sure that a name of weights, if it is that of a family, is of the one that is wanted.

    Raises:
        WrongWeights: it is of another one.
    """
    found = _family(name, _OF_NAMES)
    if found not in (None, wanted):
        fitting = ", ".join(other for other in WEIGHTS if _family(other, _OF_NAMES) == wanted)
        raise WrongWeights(f"{name} is the name of a {found}, and a {wanted} is wanted: {fitting}, or a path")


def check_tensors(names: Iterable[str], wanted: str, origin: str) -> None:
    """Make sure that the names of tensors, if they tell of a family, tell of the one that is wanted.

    Raises:
        WrongWeights: they tell of another one.
    """
    found = {family for name in names if (family := _family(name, _OF_TENSORS))}
    if found and wanted not in found:
        others = " and a ".join(sorted(found))
        raise WrongWeights(f"{origin} holds a {others}: these are not the weights of a {wanted}, which is wanted")


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
