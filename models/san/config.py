"""Sizes of a Side Adapter Network, by name or read from the shapes of a checkpoint."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from models.errors import WrongWeights

CONTEXT_LENGTH = 77
TOKENS = 49408


@dataclass(frozen=True)
class SanConfig:
    """Sizes of CLIP (vision and text), of the side network and of its mask decoder.

    clip_layers: CLIP blocks before recognition; recognition_layers: the ones that recognise regions.
    clip_grid, side_grid: sides of the position tables, in patches.
    """

    vision_width: int = 768
    vision_heads: int = 12
    vision_patch: int = 16
    clip_grid: int = 14
    clip_layers: int = 9
    recognition_layers: int = 3
    embedding: int = 512
    text_width: int = 512
    text_heads: int = 8
    text_layers: int = 12
    side_width: int = 240
    side_heads: int = 6
    side_layers: int = 8
    side_patch: int = 16
    side_grid: int = 40
    queries: int = 100
    mask_channels: int = 256
    decoder_width: int = 256

    @property
    def clip_scale(self) -> float:
        """Size of CLIP's copy of the image, relative to the side network's (release: 0.5 for /16, 0.7 for /14)."""
        return 0.7 if self.vision_patch == 14 else 0.5

    @property
    def fused_layers(self) -> tuple[int, int, int, int]:
        """CLIP layers whose maps join the side network after its patch embedding and blocks 1, 2 and 3."""
        third = self.clip_layers // 3
        return (0, third, 2 * third, 3 * third)

    @classmethod
    def of_checkpoint(cls, state: Mapping[str, Tensor]) -> "SanConfig":
        """Read every size from the shapes of a state dict; both CLIP towers have heads of one width.

        Raises:
            WrongWeights: naming an entry that a Side Adapter Network must have.
        """
        entries = _Shapes(state)
        clip, side, text = "clip_visual_extractor", "side_adapter_network", "ov_classifier"
        vision_width, _, vision_patch, _ = entries.of(f"{clip}.conv1.weight", 4)
        mask_channels, decoder_width = entries.of(f"{side}.mask_decoder.query_mlp.layers.2.weight", 2)
        vision_heads = entries.of(f"{side}.mask_decoder.attn_mlp.layers.2.weight", 4)[0] // mask_channels
        text_width = entries.of(f"{text}.positional_embedding", 2)[1]
        text_heads = max(text_width * vision_heads // vision_width, 1)
        queries, side_width = entries.of(f"{side}.query_embed", 3)[1:]
        for width, heads in ((vision_width, vision_heads), (text_width, text_heads), (side_width, cls.side_heads)):
            if not heads or width % heads:
                raise WrongWeights(f"no Side Adapter Network: a width of {width} does not give {heads} heads")
        return cls(
            vision_width=vision_width,
            vision_heads=vision_heads,
            vision_patch=vision_patch,
            clip_grid=math.isqrt(entries.of(f"{clip}.positional_embedding", 2)[0] - 1),
            clip_layers=entries.blocks(f"{clip}.resblocks."),
            recognition_layers=entries.blocks("clip_rec_head.resblocks."),
            embedding=entries.of("clip_rec_head.proj", 2)[1],
            text_width=text_width,
            text_heads=text_heads,
            text_layers=entries.blocks(f"{text}.transformer.resblocks."),
            side_width=side_width,
            side_layers=entries.blocks(f"{side}.vit_model.blocks."),
            side_patch=entries.of(f"{side}.vit_model.patch_embed.proj.weight", 4)[2],
            side_grid=math.isqrt(entries.of(f"{side}.vit_model.pos_embed", 3)[1]),
            queries=queries,
            mask_channels=mask_channels,
            decoder_width=decoder_width,
        )


RELEASED = {
    "san_vit_b_16": SanConfig(),
    "san_vit_large_14": SanConfig(
        vision_width=1024,
        vision_heads=16,
        vision_patch=14,
        clip_grid=24,
        clip_layers=18,
        recognition_layers=6,
        embedding=768,
        text_width=768,
        text_heads=12,
    ),
}
"""The two released networks: CLIP ViT-B/16 and ViT-L/14-336 of OpenAI, with the same side network."""


class _Shapes:
    """Shapes of a state dict; asking for one that is not there is a typed error."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self._state = state

    def of(self, name: str, axes: int) -> tuple[int, ...]:
        """Return the shape of an entry that must have so many axes, none of them empty."""
        if name not in self._state or self._state[name].ndim != axes or 0 in self._state[name].shape:
            raise WrongWeights(f"no Side Adapter Network: {name} is missing or does not have {axes} axes")
        return tuple(self._state[name].shape)

    def blocks(self, prefix: str) -> int:
        """Count the numbered blocks under ``prefix``."""
        numbers = {name.removeprefix(prefix).split(".")[0] for name in self._state if name.startswith(prefix)}
        if not numbers:
            raise WrongWeights(f"no Side Adapter Network: nothing under {prefix}")
        return len(numbers)
