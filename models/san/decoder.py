"""The mask decoder: from queries and patches to mask logits and to CLIP's attention biases."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.san.config import SanConfig


class MaskDecoder(nn.Module):
    """Masks and biases are inner products of one vector a query with maps made of the patches."""

    def __init__(self, config: SanConfig) -> None:
        super().__init__()
        inputs, width, channels = config.side_width, config.decoder_width, config.mask_channels
        self.heads = config.vision_heads
        self.query_mlp = Perceptron(nn.Linear, (inputs, width, width, channels))
        self.pix_mlp = Perceptron(_pointwise, (inputs, width, width, channels))
        self.attn_mlp = Perceptron(_pointwise, (inputs, width, width, channels * self.heads))
        self.bias_scaling = nn.Linear(1, 1)

    def forward(self, queries: Tensor, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Map queries (B, Q, D) and patches (B, D, h, w) to mask logits (B, Q, h, w) and biases (B, heads, Q, h, w)."""
        query = self.query_mlp(queries)
        # mask_q(y, x) = <query_q, pixel(y, x)>; bias_hq(y, x) = s <query_q, attention_h(y, x)> + b
        masks = torch.einsum("bqc,bchw->bqhw", query, self.pix_mlp(patches))
        by_head = self.attn_mlp(patches).reshape(len(patches), self.heads, -1, *patches.shape[2:])
        bias = torch.einsum("bqc,bnchw->bnqhw", query, by_head)
        return masks, bias * self.bias_scaling.weight.squeeze() + self.bias_scaling.bias


class Perceptron(nn.Module):
    """Layers of the given widths with ReLU between them and nothing at the end."""

    def __init__(self, layer: Callable[[int, int], nn.Module], widths: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layer(inputs, outputs) for inputs, outputs in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        """Transform every token or every position of a map by itself."""
        *hidden, last = self.layers
        for layer in hidden:
            x = functional.relu(layer(x))
        return last(x)  # type: ignore[no-any-return]


def _pointwise(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 1)
