"""The Side Adapter Network as a whole."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.array_cache import ArrayCache, tensors_key
from models.errors import WrongWeights
from models.san.clip import ClipExtractor, ClipMap, RecognitionHead
from models.san.config import RELEASED, SanConfig
from models.san.preprocess import normalise_and_pad
from models.san.proposals import Proposals, SanOutput
from models.san.side import SideAdapter, SideLayer
from models.san.small import SmallSan
from models.san.text import ClassEmbeddings, TextTower
from models.weights.checkpoint import load_strictly, read_metadata, read_state_dict
from models.weights.families import SAN, check_tensors
from models.weights.located import check_finite, located, state_of_family, with_checksum

_CONSTANTS = frozenset({"ov_classifier.attn_mask", "criterion.empty_weight"})
"""Entries of the released files that hold no weight: the causal mask, and the loss weights of training."""


class San(nn.Module):
    """Open-vocabulary segmentation: pictures and words in, masks with classes out.

    ``text_cache`` is a folder where embeddings of words are kept, by content, for later processes.
    """

    def __init__(self, config: SanConfig, text_cache: Path | None = None) -> None:
        super().__init__()
        self.config = config
        self.clip_visual_extractor = ClipExtractor(config)
        self.side_adapter_network = SideAdapter(config)
        self.clip_rec_head = RecognitionHead(config)
        self.ov_classifier = TextTower(config)
        self._text_cache = ArrayCache(text_cache) if text_cache else None

    @classmethod
    def load(cls, path_or_name: Path | str, text_cache: Path | None = None) -> "San | SmallSan":
        """Load a checkpoint, in evaluation mode, by path or by its name in the weights registry.

        A file whose metadata hold the sizes of a small network gives one, with the same interface.

        Raises:
            WrongWeights: the file is broken, unsafe, has an entry too many or too few, or is not of the named size.
            WeightsUnavailable: the name's checkpoint is not here and cannot be fetched.
        """
        path = located(path_or_name, "model.safetensors", SAN)
        with with_checksum(path):
            metadata = read_metadata(path) if path.suffix == ".safetensors" else {}
            if "config" in metadata:
                return _load_small(path, metadata)
            state = _released(path)
            config = SanConfig.of_checkpoint(state)
            if RELEASED.get(str(path_or_name), config) != config:
                raise WrongWeights(f"{path.name} has other sizes than {path_or_name}: {config}")
            with torch.device("meta"):
                network = cls(config, text_cache)
            load_strictly(network, state, path.name)
        return network.eval()

    def text(self, vocabulary: Sequence[str]) -> Tensor:
        """Return unit embeddings (C, E) of words, each computed only once.

        Raises:
            UnusableVocabulary: no word, a blank, one given twice, or one longer than CLIP takes; names the entry.
        """
        return self._class_embeddings.of(vocabulary)

    def forward(self, images: Tensor | Sequence[Tensor], text: Tensor) -> SanOutput:
        """Segment pictures (3, h, w), RGB in 0..255, of one or of several sizes, into classes ``text`` (C, E).

        Raises:
            UnusableInput: naming the picture at fault.
        """
        proposals = self.propose(images)
        return SanOutput(**vars(proposals), class_logits=self.classify(proposals.region_embeddings, text))

    def propose(self, images: Tensor | Sequence[Tensor]) -> Proposals:
        """Run the image network alone: everything that does not depend on words."""
        batch = normalise_and_pad(images, like=self.ov_classifier.bg_embed)
        # A scale factor rather than a size: 0.7 of a side is seldom whole, and so the sampling grid is upstream's.
        scale = self.config.clip_scale
        small = functional.interpolate(batch.pixels, scale_factor=scale, mode="bilinear", align_corners=False)
        maps = self.clip_visual_extractor(small)
        layer = self.side_adapter_network(batch.pixels, maps)[-1]
        masks, bias, embeddings = self.decode(layer, maps[-1])
        return Proposals(masks, bias, embeddings, (batch.pixels.shape[2], batch.pixels.shape[3]), batch.sizes)

    def decode(self, layer: SideLayer, last: ClipMap) -> tuple[Tensor, Tensor, Tensor]:
        """Turn a layer of the side network into mask logits, attention biases and region embeddings."""
        masks, bias = self.side_adapter_network.mask_decoder(layer.queries, layer.patches)
        return masks, bias, self.clip_rec_head(last, bias)

    def classify(self, region_embeddings: Tensor, text: Tensor) -> Tensor:
        """Compare regions (B, Q, E) with classes (C, E): logits (B, Q, C + 1), the last column being background."""
        return region_embeddings @ self.ov_classifier.class_weights(text).T

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all weights as they are when first asked, for keys of what was computed with them."""
        return tensors_key(self.parameters())

    @cached_property
    def _class_embeddings(self) -> ClassEmbeddings:
        return ClassEmbeddings(self.ov_classifier, self._text_cache)


def _released(path: Path) -> dict[str, Tensor]:
    """Read the weights of a released file; its causal mask, which holds infinities, is none."""
    state = {name: value for name, value in read_state_dict(path).items() if name not in _CONSTANTS}
    check_tensors(state, SAN, path.name)
    check_finite(state, path.name)
    return state


def _load_small(path: Path, metadata: Mapping[str, str]) -> SmallSan:
    state = state_of_family(path, SAN)
    network = SmallSan.of(metadata, path.name)
    load_strictly(network, state, path.name)
    return network.eval()
