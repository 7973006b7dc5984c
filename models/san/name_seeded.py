"""Synthetic weights of a Side Adapter Network, and pictures: functions of their names, for checks and benchmarks."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.name_seeded import steps
from models.san.config import SanConfig
from models.san.network import San
from models.san.prompts import prompts, tokenize
from models.san.small import SmallSan

TINY = SanConfig(
    vision_width=128,
    vision_heads=4,
    embedding=64,
    text_width=64,
    text_heads=2,
    text_layers=2,
    side_width=60,
    queries=20,
    mask_channels=48,
    decoder_width=40,
)
"""A network of 6 million parameters with the depth of ViT-B/16."""

_SHARPNESS = 30
_TABLES = ("pos_embed", "query_embed", "bg_embed", "class_embedding", "positional_embedding")
_EXPONENTS = {"logit_scale": -9, "bias_scaling.weight": -9, "token_embedding.weight": -6}
_OFFSETS = {"logit_scale": 3.0, "bias_scaling.weight": 1.0}


def name_seeded_san(config: SanConfig) -> San:
    """Return a network, in evaluation mode, whose every weight follows from its name."""
    with torch.device("meta"):
        network = San(config)
    state = {name: weight(name, tuple(entry.shape)) for name, entry in network.state_dict().items()}
    network.load_state_dict(state, assign=True)
    return network.eval()


def is_name_seeded(network: San | SmallSan) -> bool:
    """Tell whether a network sees with weights that follow from their names: then nothing it says means anything."""
    if isinstance(network, SmallSan):
        return False
    seeing = network.clip_visual_extractor.conv1.weight
    return torch.equal(seeing.cpu(), weight("clip_visual_extractor.conv1.weight", tuple(seeing.shape)))


@torch.no_grad()
def tell_apart(network: San, picture: Tensor, words: Sequence[str]) -> None:
    """Make a name-seeded network see differences, which its answers otherwise hardly show.

    Masks, regions and words have their mean over ``picture`` (1, 3, h, w) and ``words`` taken off; masks and attention
    are sharpened, and the learned background is turned down.
    """
    decoder, tower = network.side_adapter_network.mask_decoder, network.ov_classifier
    queries, pixels, regions = decoder.query_mlp.layers[-1], decoder.pix_mlp.layers[-1], network.clip_rec_head.ln_post
    _centre(queries, _output_of(queries, lambda: network.propose(picture)))
    _centre(pixels, _output_of(pixels, lambda: network.propose(picture)).movedim(1, -1))
    for sharper in (*pixels.parameters(), decoder.bias_scaling.weight):
        sharper.mul_(_SHARPNESS)
    _centre(regions, _output_of(regions, lambda: network.propose(picture)))
    texts = [prompt for word in words for prompt in prompts(word)]
    ends = torch.tensor([len(ids) - 1 for ids in tokenize(texts)])
    tokens = _output_of(tower.ln_final, lambda: tower(texts))
    _centre(tower.ln_final, tokens[torch.arange(len(texts)), ends])
    tower.bg_embed.zero_().add_(1e-3)


def _centre(module: nn.Module, outputs: Tensor) -> None:
    """Take the mean of outputs (..., C) off the bias (C,)."""
    dict(module.named_parameters())["bias"].sub_(outputs.flatten(0, -2).mean(dim=0))


def _output_of(module: nn.Module, run: Callable[[], object]) -> Tensor:
    """Return what a module gives, the last time that ``run`` calls it."""
    outputs: list[Tensor] = []
    hook = module.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    run()
    hook.remove()
    return outputs[-1]


def weight(name: str, shape: tuple[int, ...]) -> Tensor:
    """Value of the state_dict entry ``name``: float32, an 8-bit integer times a power of two, spread as usual."""
    spread = torch.from_numpy(steps(name, math.prod(shape)).astype(np.float32)).reshape(shape)
    norm = len(shape) == 1 and name.endswith(".weight")
    offset = next((value for end, value in _OFFSETS.items() if name.endswith(end)), float(norm))
    # offset + n 2^e, n from -127 to 127
    return offset + spread * 2.0 ** _exponent(name, shape)


def photo(name: str, height: int, width: int) -> NDArray[np.uint8]:
    """Smooth waves and noise: (height, width, 3) uint8."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    phases = (steps(f"phase:{name}", 12) / 127).reshape(4, 3)[:3]
    waves = [
        0.5 * np.sin((0.13 + 0.05 * along_x) * x + 3 * shift) * np.cos((0.11 + 0.05 * along_y) * y + channel)
        for channel, (along_x, shift, along_y) in enumerate(phases)
    ]
    noise = (steps(f"noise:{name}", 3 * height * width) / 127).reshape(height, width, 3)
    return np.clip(np.round(127.5 + 110 * (np.stack(waves, axis=-1) + 0.4 * noise)), 0, 255).astype(np.uint8)


def _exponent(name: str, shape: tuple[int, ...]) -> int:
    special = next((value for end, value in _EXPONENTS.items() if name.endswith(end)), None)
    if special is not None:
        return special
    if name.endswith(_TABLES):
        return -8
    if len(shape) == 1:
        return -9 if name.endswith(".weight") else -10
    fan_in = shape[0] if name.endswith(("text_projection", "clip_rec_head.proj")) else math.prod(shape[1:])
    return round(math.log2(math.sqrt(3.0 / fan_in))) - 7 + _emphasis(name)


def _emphasis(name: str) -> int:
    """Powers of two that keep masks off saturation, and regions and words apart from one another."""
    if name.endswith("query_mlp.layers.2.weight"):
        return -1
    return 3 * (name.startswith(("clip_rec_head.", "ov_classifier.")) and name.endswith("out_proj.weight"))
