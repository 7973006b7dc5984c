"""DUSt3R (Wang et al., CVPR 2024): two pictures in, two pointmaps in the first camera's frame out.

Written from the published description. Weights are not part of this package; those that NAVER released are
licensed CC BY-NC-SA 4.0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.convolutions import ResidualBlock, halving
from models.dust3r.blocks import LAYER_NORM_EPS, DecoderBlock, EncoderBlock
from models.dust3r.checkpoint import read_checkpoint
from models.dust3r.config import Dust3rConfig
from models.dust3r.heads import PATCH, DptHead, LinearHead, PointMap, activate, build_head
from models.errors import UnusableInput
from models.rotary import Rotation
from models.weights.checkpoint import for_inference


@dataclass(frozen=True)
class Tokens:
    """Encoded images: features (B, rows * columns, C), grid (rows, columns) in patches of 16 pixels."""

    features: Tensor
    grid: tuple[int, int]

    def __getitem__(self, rows: slice | Tensor | list[int]) -> "Tokens":
        """Select images of the batch."""
        return Tokens(self.features[rows], self.grid)


@dataclass(frozen=True)
class PreparedView:
    """What decoding needs of one view that does not depend on the other; worth keeping when a view has many partners.

    embedded: (B, L, C_dec) projected tokens; attended: the same after the first block's self-attention.
    head_start: the part of the head that depends on this image alone.
    """

    tokens: Tokens
    embedded: Tensor
    attended: Tensor
    head_start: Tensor

    @classmethod
    def concatenate(cls, views: Sequence["PreparedView"]) -> "PreparedView":
        """Put views of the same size into one batch."""
        return cls(
            Tokens(torch.cat([view.tokens.features for view in views]), views[0].tokens.grid),
            torch.cat([view.embedded for view in views]),
            torch.cat([view.attended for view in views]),
            torch.cat([view.head_start for view in views]),
        )


class Dust3r(nn.Module):
    """The network; parameters carry the names of the released state_dict."""

    def __init__(self, config: Dust3rConfig) -> None:
        super().__init__()
        self.config = config
        enc, dec = config.enc_embed_dim, config.dec_embed_dim
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dec))
        self.patch_embed = _PatchEmbed(enc) if config.stem is None else _ConvolutionalEmbed(config.stem, enc)
        self.positions = None if config.position_grid is None else nn.Parameter(torch.zeros(enc, *config.position_grid))
        self.enc_blocks = nn.ModuleList(EncoderBlock(enc, config.enc_num_heads) for _ in range(config.enc_depth))
        self.enc_norm = nn.LayerNorm(enc, eps=LAYER_NORM_EPS)
        self.decoder_embed = nn.Linear(enc, dec)
        self.dec_blocks = nn.ModuleList(DecoderBlock(dec, config.dec_num_heads) for _ in range(config.dec_depth))
        self.dec_blocks2 = nn.ModuleList(DecoderBlock(dec, config.dec_num_heads) for _ in range(config.dec_depth))
        self.dec_norm = nn.LayerNorm(dec, eps=LAYER_NORM_EPS)
        self.downstream_head1 = build_head(config.head_type, enc, dec, config.hooks)
        self.downstream_head2 = build_head(config.head_type, enc, dec, config.hooks)

    @classmethod
    def load(cls, path_or_name: str | Path) -> Self:
        """Load a ``.pth`` or ``.safetensors`` file, a folder of the hub, or a registered name, ready for inference.

        Nothing in the file is run. The network comes in float32 on the CPU, in evaluation mode.

        Raises:
            WrongWeights: damaged, unsafe or another network's file; the message gives its checksum.
            WeightsUnavailable: a registered name that is neither cached nor reachable.
        """
        config, state = read_checkpoint(path_or_name)
        return for_inference(lambda: cls(config), state, str(path_or_name))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.decoder_embed.weight.device

    def cast_body(self, dtype: torch.dtype) -> Self:
        """Run encoder and decoders in ``dtype`` (bfloat16 on GPUs); the heads stay in float32, as upstream's do."""
        for name, module in self.named_children():
            if not name.startswith("downstream_head"):
                module.to(dtype)
        return self

    def encode(self, images: Tensor) -> Tokens:
        """Encode images (B, 3, H, W) in [-1, 1], H and W multiples of 16.

        Raises:
            UnusableInput: another shape, or values that are not finite.
        """
        _check_images(images)
        features = self.patch_embed(images.to(self.device, self.decoder_embed.weight.dtype))
        grid = (images.shape[-2] // PATCH, images.shape[-1] // PATCH)
        if self.positions is not None:
            features = features + _positions(self.positions, grid)
        rotation = Rotation.of_grid(*grid, self.config.enc_embed_dim // self.config.enc_num_heads, self.device)
        for block in self.enc_blocks:
            features = block(features, rotation)
        return Tokens(self.enc_norm(features), grid)

    def decode(self, tokens1: Tokens, tokens2: Tokens) -> tuple[PointMap, PointMap]:
        """Pointmaps of both views, in the frame of the first; the views may differ in shape, not in number."""
        return self.decode_prepared(self.prepare(tokens1, 1), self.prepare(tokens2, 2))

    def prepare(self, tokens: Tokens, side: int) -> PreparedView:
        """Do the part of decoding that depends on one view; ``side`` is 1 (reference) or 2."""
        embedded = self.decoder_embed(tokens.features)
        first = cast(DecoderBlock, (self.dec_blocks if side == 1 else self.dec_blocks2)[0])
        attended = first.attend_self(embedded, self._rotation(tokens.grid))
        head = self.downstream_head1 if side == 1 else self.downstream_head2
        return PreparedView(tokens, embedded, attended, head.start(tokens.features, tokens.grid))

    def decode_prepared(self, view1: PreparedView, view2: PreparedView) -> tuple[PointMap, PointMap]:
        """Decode views that ``prepare`` made, the first for side 1, the second for side 2."""
        layers1, layers2 = self._decoder_layers(view1, view2)
        return (
            _point_map(self.downstream_head1, layers1, view1),
            _point_map(self.downstream_head2, layers2, view2),
        )

    def forward(self, image1: Tensor, image2: Tensor) -> tuple[PointMap, PointMap]:
        """Pointmaps of a batch of pairs, images as for ``encode``."""
        return self.decode(self.encode(image1), self.encode(image2))

    def _decoder_layers(self, view1: PreparedView, view2: PreparedView) -> tuple[list[Tensor], list[Tensor]]:
        """Token maps of both decoders: the encoder's, then each block's, the last one normalised."""
        rotation1, rotation2 = self._rotation(view1.tokens.grid), self._rotation(view2.tokens.grid)
        layers1, layers2 = [view1.tokens.features], [view2.tokens.features]
        last1, last2 = view1.embedded, view2.embedded
        attended1, attended2 = view1.attended, view2.attended
        for depth, (block1, block2) in enumerate(zip(self._stack(1), self._stack(2), strict=True)):
            if depth:
                attended1, attended2 = block1.attend_self(last1, rotation1), block2.attend_self(last2, rotation2)
            last1, last2 = (
                block1.attend_other(attended1, last2, rotation1, rotation2),
                block2.attend_other(attended2, last1, rotation2, rotation1),
            )
            layers1.append(last1)
            layers2.append(last2)
        layers1[-1], layers2[-1] = self.dec_norm(last1), self.dec_norm(last2)
        return layers1, layers2

    def _stack(self, side: int) -> list[DecoderBlock]:
        return [cast(DecoderBlock, block) for block in (self.dec_blocks if side == 1 else self.dec_blocks2)]

    def _rotation(self, grid: tuple[int, int]) -> Rotation:
        return Rotation.of_grid(*grid, self.config.dec_embed_dim // self.config.dec_num_heads, self.device)


class _PatchEmbed(nn.Module):
    """Patches of 16x16 pixels to tokens, row by row."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, stride=PATCH)

    def forward(self, images: Tensor) -> Tensor:
        return self.proj(images).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]


class _ConvolutionalEmbed(nn.Module):
    """The same by four convolutions that halve the picture, residual blocks after the second and the third."""

    def __init__(self, channels: tuple[int, int, int], width: int) -> None:
        super().__init__()
        a, b, c = channels
        self.eighth = nn.Sequential(halving(3, a), halving(a, b), ResidualBlock(b), halving(b, c), ResidualBlock(c))
        self.proj = nn.Conv2d(c, width, 3, stride=2, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.proj(self.eighth(images)).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]


def _positions(table: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return a table (C, rows, columns) of positions for a grid of tokens: (1, L, C)."""
    resized = functional.interpolate(table[None], grid, mode="bilinear", align_corners=False)
    return resized.flatten(2).transpose(1, 2)


def _point_map(head: LinearHead | DptHead, layers: Sequence[Tensor], view: PreparedView) -> PointMap:
    return activate(head(layers, view.tokens.grid, view.head_start))


def _check_images(images: Tensor) -> None:
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
        raise UnusableInput(f"images must be (B, 3, H, W) floats in [-1, 1], not {tuple(images.shape)} {images.dtype}")
    height, width = images.shape[-2:]
    if height % PATCH or width % PATCH or not height * width:
        raise UnusableInput(f"image sides must be multiples of {PATCH}, not {height}x{width}")
    if not images.isfinite().all():
        raise UnusableInput("images hold values that are not finite")
