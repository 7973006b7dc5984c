"""Heads that turn decoder tokens into raw maps (B, 4, H, W), and the activation that makes pointmaps of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from models.dpt import DptFusion, resized

PATCH = 16
_LAYER_WIDTHS = (96, 192, 384, 768)
_FUSED_WIDTH = 256


@dataclass(frozen=True)
class PointMap:
    """What a pair says about one of its images, in the frame of the pair's first camera, scale arbitrary.

    points: (B, H, W, 3) float32, camera axes x right, y down, z forward.
    confidence: (B, H, W) float32, raw confidence > 1.
    """

    points: Tensor
    confidence: Tensor


def activate(raw: Tensor) -> PointMap:
    """Make a pointmap of a raw map (B, 4, H, W): three numbers of the point, one of the confidence."""
    vector = raw[:, :3].movedim(1, -1)
    distance = vector.norm(dim=-1, keepdim=True)
    # X = v / |v| (exp(|v|) - 1), confidence = 1 + exp(c)
    return PointMap(vector / distance.clip(min=1e-8) * distance.expm1(), 1 + raw[:, 3].exp())


def build_head(kind: str, enc_width: int, dec_width: int, hooks: tuple[int, int, int, int]) -> "LinearHead | DptHead":
    """Make the head of a network: ``linear`` or ``dpt``."""
    return LinearHead(dec_width) if kind == "linear" else DptHead(enc_width, dec_width, hooks)


class LinearHead(nn.Module):
    """One linear layer from the last token to the 16x16 pixels of its patch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 4 * PATCH**2)

    def start(self, encoded: Tensor, grid: tuple[int, int]) -> Tensor:  # noqa: ARG002  (nothing depends on one view alone)
        """Return an empty tensor (B, 0): this head reads nothing from the encoder."""
        return encoded.new_zeros(len(encoded), 0)

    def forward(self, layers: Sequence[Tensor], grid: tuple[int, int], started: Tensor) -> Tensor:  # noqa: ARG002
        """Raw maps from the tokens of the last decoder block (B, L, C)."""
        maps = _to_map(self.proj(layers[-1].float()), grid)
        return functional.pixel_shuffle(maps, PATCH)


class DptHead(nn.Module):
    """Dense prediction head (Ranftl et al. 2021): four token maps, fused from coarse to fine."""

    def __init__(self, enc_width: int, dec_width: int, hooks: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.hooks = hooks
        self.dpt = _Dpt(enc_width, dec_width)

    def start(self, encoded: Tensor, grid: tuple[int, int]) -> Tensor:
        """Do the finest level, which depends on one image alone: (B, 256, 4 rows, 4 columns)."""
        return self.dpt.start(_to_map(encoded.float(), grid))

    def forward(self, layers: Sequence[Tensor], grid: tuple[int, int], started: Tensor) -> Tensor:
        """Raw maps from all token maps of a decoder and what ``start`` gave."""
        coarse = [_to_map(layers[hook].float(), grid) for hook in self.hooks[1:]]
        return self.dpt(coarse, started)  # type: ignore[no-any-return]


class _Dpt(nn.Module):
    def __init__(self, enc_width: int, dec_width: int) -> None:
        super().__init__()
        a, b, c, d = _LAYER_WIDTHS
        self.act_postprocess = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(enc_width, a, 1), nn.ConvTranspose2d(a, a, 4, stride=4)),
                nn.Sequential(nn.Conv2d(dec_width, b, 1), nn.ConvTranspose2d(b, b, 2, stride=2)),
                nn.Sequential(nn.Conv2d(dec_width, c, 1)),
                nn.Sequential(nn.Conv2d(dec_width, d, 1), nn.Conv2d(d, d, 3, stride=2, padding=1)),
            ]
        )
        self.scratch = _Scratch()
        self.head = nn.Sequential(
            nn.Conv2d(_FUSED_WIDTH, _FUSED_WIDTH // 2, 3, padding=1),
            _Upsample(),
            nn.Conv2d(_FUSED_WIDTH // 2, 128, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(128, 4, 1),
        )

    def start(self, encoded: Tensor) -> Tensor:
        fine = self.scratch.layer1_rn(self.act_postprocess[0](encoded))
        return self.scratch.refinenet1.resConfUnit1(fine)  # type: ignore[no-any-return]

    def forward(self, coarse: Sequence[Tensor], started: Tensor) -> Tensor:
        scratch = self.scratch
        reduce = (scratch.layer2_rn, scratch.layer3_rn, scratch.layer4_rn)
        level2, level3, level4 = (
            rn(post(tokens)) for rn, post, tokens in zip(reduce, list(self.act_postprocess)[1:], coarse, strict=True)
        )
        fused = _crop(scratch.refinenet4(level4), level3)
        fused = _crop(scratch.refinenet3(fused + scratch.refinenet3.resConfUnit1(level3)), level2)
        fused = _crop(scratch.refinenet2(fused + scratch.refinenet2.resConfUnit1(level2)), started)
        return self.head(scratch.refinenet1(fused + started))  # type: ignore[no-any-return]


class _Scratch(nn.Module):
    """Reductions to one width, which released files name twice, and fusions; refinenet4.resConfUnit1 is unused."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = (nn.Conv2d(width, _FUSED_WIDTH, 3, padding=1, bias=False) for width in _LAYER_WIDTHS)
        self.layer1_rn, self.layer2_rn, self.layer3_rn, self.layer4_rn = a, b, c, d
        self.layer_rn = nn.ModuleList([a, b, c, d])
        self.refinenet1 = DptFusion(_FUSED_WIDTH)
        self.refinenet2 = DptFusion(_FUSED_WIDTH)
        self.refinenet3 = DptFusion(_FUSED_WIDTH)
        self.refinenet4 = DptFusion(_FUSED_WIDTH)


class _Upsample(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return resized(maps)


def _crop(maps: Tensor, like: Tensor) -> Tensor:
    """Cut to the next level's size: an odd number of tokens was rounded up on the coarsest level."""
    return maps[..., : like.shape[-2], : like.shape[-1]]


def _to_map(tokens: Tensor, grid: tuple[int, int]) -> Tensor:
    """Tokens as they lie in memory, channels last, in which convolutions are fastest."""
    return tokens.reshape(len(tokens), *grid, -1).movedim(-1, 1)
