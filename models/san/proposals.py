"""What a Side Adapter Network answers: mask proposals, their embeddings and, given words, their classes."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

QUERIES_AT_ONCE = 25
"""Full-size masks held at a time when they are summed: bounds memory."""


@dataclass(frozen=True)
class Proposals:
    """What the image network says, whatever the words.

    mask_logits: (B, Q, h, w), one value a patch of 16 pixels of the padded batch.
    attention_bias: (B, heads, Q, h, w), added to CLIP's attention from region to patch.
    region_embeddings: (B, Q, E), unit vectors in CLIP's space.
    padded_size, image_sizes: height and width of the padded batch and of each picture in it.
    """

    mask_logits: Tensor
    attention_bias: Tensor
    region_embeddings: Tensor
    padded_size: tuple[int, int]
    image_sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SanOutput(Proposals):
    """Proposals with class_logits (B, Q, C + 1), the last column being background."""

    class_logits: Tensor

    def semantic_map(self, height: int, width: int) -> Tensor:
        """Return the score (B, C, height, width) of each class at each pixel of the pictures, resized.

        Sum over queries of P(class) times P(mask); may exceed 1. The label is the class with the highest score.
        """
        probabilities = self.class_logits.softmax(dim=-1)[..., :-1]
        output = (height, width)
        return torch.stack(
            [
                semantic_map(p, masks, self.padded_size, size, output)
                for p, masks, size in zip(probabilities, self.mask_logits, self.image_sizes, strict=True)
            ]
        )


def semantic_map(
    probabilities: Tensor, mask_logits: Tensor, padded: tuple[int, int], image: tuple[int, int], output: tuple[int, int]
) -> Tensor:
    """Sum the masks (Q, h, w) of one picture, weighted by class probabilities (Q, C): (C, height, width)."""
    # S_c(y, x) = sum over q of P(c | q) sigmoid(mask_q(y, x))
    total = probabilities.new_zeros(probabilities.shape[1], *output)
    for first in range(0, len(mask_logits), QUERIES_AT_ONCE):
        some = slice(first, first + QUERIES_AT_ONCE)
        masks = full_size_masks(mask_logits[some], padded, image, output).sigmoid()
        total += torch.einsum("qc,qhw->chw", probabilities[some], masks)
    return total


def full_size_masks(
    mask_logits: Tensor, padded: tuple[int, int], image: tuple[int, int], output: tuple[int, int]
) -> Tensor:
    """Resize mask logits (Q, h, w) to the padded batch, crop to the picture, resize to (Q, height, width)."""
    grown = functional.interpolate(mask_logits[None], padded, mode="bilinear", align_corners=False)
    cropped = grown[:, :, : image[0], : image[1]]
    return functional.interpolate(cropped, output, mode="bilinear", align_corners=False)[0]
