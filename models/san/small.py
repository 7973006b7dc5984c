"""A Side Adapter Network small enough to be trained with its tower, from nothing, and to be shipped.

What differs from the released ones: convolutions before the first patches, read by the tower and the side network
alike; masks at a quarter of the picture instead of a sixteenth; and a table of words instead of a text tower. Blocks,
recognition under attention biases, mask decoder and readout are the same code.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Self

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator
from torch import Tensor, nn
from torch.nn import functional

from models.array_cache import tensors_key
from models.convolutions import ResidualBlock, convolution, halving
from models.errors import UnusableVocabulary, WrongWeights
from models.san.clip import ClipBlock, ClipMap, RecognitionHead
from models.san.config import SanConfig
from models.san.decoder import MaskDecoder, Perceptron
from models.san.positions import resize_positions
from models.san.preprocess import normalise_and_pad
from models.san.prompts import check_vocabulary, clean
from models.san.proposals import Proposals, SanOutput
from models.san.side import SideBlock, SideLayer
from models.weights.families import in_words


class SmallSanConfig(BaseModel):
    """Sizes of the network, and the words it knows; kept in the metadata of its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[tuple[str, ...], ...] = Field(min_length=1, description="groups of words that mean the same")
    short_side: int = Field(120, ge=32, le=1024, description="of the pictures it was trained on, pixels")
    stem: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = Field(
        (24, 48, 96, 160), description="channels at 1/2, 1/4, 1/8 and 1/16"
    )
    tower_layers: int = Field(3, ge=1, le=24, description="blocks of the tower before recognition")
    recognition_layers: int = Field(1, ge=1, le=24, description="blocks that recognise regions")
    tower_heads: int = Field(4, ge=1, le=16)
    side_width: int = Field(128, ge=8, le=1024)
    side_heads: int = Field(4, ge=1, le=16)
    side_layers: int = Field(3, ge=1, le=24)
    grid: int = Field(10, ge=1, le=64, description="side of the position tables, in patches")
    queries: int = Field(ge=1, le=256)
    channels: int = Field(64, ge=4, le=256, description="of masks, and of the maps they are inner products with")
    embedding: int = Field(64, ge=4, le=1024, description="of regions and words")

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        for width, heads in ((self.stem[-1], self.tower_heads), (self.side_width, self.side_heads)):
            if width % heads:
                raise ValueError(f"a width of {width} does not give {heads} heads")
        return self

    def as_released(self) -> SanConfig:
        """Return the sizes as the code of the released networks names them."""
        return SanConfig(
            vision_width=self.stem[-1],
            vision_heads=self.tower_heads,
            clip_layers=self.tower_layers,
            recognition_layers=self.recognition_layers,
            embedding=self.embedding,
            side_width=self.side_width,
            side_heads=self.side_heads,
            side_layers=self.side_layers,
            queries=self.queries,
            mask_channels=self.channels,
            decoder_width=self.side_width,
        )


class SmallSan(nn.Module):
    """The network, with the interface of ``San``: ``text``, ``propose``, ``classify`` and their sum."""

    def __init__(self, config: SmallSanConfig) -> None:
        super().__init__()
        self.config = config
        sizes = config.as_released()
        self.stem = Stem(config.stem)
        self.tower = Tower(config)
        self.side = SmallSide(config)
        self.coarse_masks = MaskDecoder(sizes)
        self.fine_masks = FineMasks(config)
        self.recognition = RecognitionHead(sizes)
        self.table = WordTable(config)
        _initialise(self)

    @classmethod
    def of(cls, metadata: Mapping[str, str], origin: str) -> Self:
        """Return an empty network with the sizes that the metadata of its weights hold.

        Raises:
            WrongWeights: they hold none, or impossible ones.
        """
        try:
            config = SmallSanConfig.model_validate_json(metadata["config"])
        except (KeyError, ValidationError) as error:
            raise WrongWeights(f"{origin} does not say the sizes of a small SAN: {in_words(error)}") from error
        with torch.device("meta"):
            return cls(config)

    def text(self, vocabulary: Sequence[str]) -> Tensor:
        """Return unit embeddings (C, E) of words of the table.

        Raises:
            UnusableVocabulary: no word, a blank, one given twice, or one that the table does not have.
        """
        return self.table(vocabulary)  # type: ignore[no-any-return]

    def forward(self, images: Tensor | Sequence[Tensor], text: Tensor) -> SanOutput:
        """Segment pictures (3, h, w), RGB in 0..255, of one or of several sizes, into classes ``text`` (C, E)."""
        proposals = self.propose(images)
        return SanOutput(**vars(proposals), class_logits=self.classify(proposals.region_embeddings, text))

    def propose(self, images: Tensor | Sequence[Tensor]) -> Proposals:
        """Run the image network alone: masks at a quarter of the padded size, regions, biases."""
        batch = normalise_and_pad(images, like=self.table.background)
        quarter, eighth, sixteenth = self.stem(batch.pixels)
        last = self.tower(sixteenth)
        layer = self.side(last.patches)
        coarse, bias = self.coarse_masks(layer.queries, layer.patches)
        masks = self.fine_masks(layer, quarter, eighth) + _double(_double(coarse))
        size = (batch.pixels.shape[2], batch.pixels.shape[3])
        return Proposals(masks, bias, self.recognition(last, bias), size, batch.sizes)

    def classify(self, region_embeddings: Tensor, text: Tensor) -> Tensor:
        """Compare regions (B, Q, E) with classes (C, E): logits (B, Q, C + 1), the last column being background."""
        return region_embeddings @ self.table.class_weights(text).T

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all weights, for keys of what was computed with them."""
        return tensors_key(self.parameters())


class Stem(nn.Module):
    """Convolutions that halve the picture four times, with a residual block at 1/4 and at 1/8."""

    def __init__(self, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        a, b, c, d = widths
        self.quarter = nn.Sequential(halving(3, a), halving(a, b), ResidualBlock(b))
        self.eighth, self.sixteenth = nn.Sequential(halving(b, c), ResidualBlock(c)), halving(c, d)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return maps at 1/4, 1/8 and 1/16 of pixels (B, 3, H, W)."""
        quarter = self.quarter(pixels)
        eighth = self.eighth(quarter)
        return quarter, eighth, self.sixteenth(eighth)


class Tower(nn.Module):
    """CLIP's blocks over the coarsest map of the stem, with a class token."""

    def __init__(self, config: SmallSanConfig) -> None:
        super().__init__()
        width = config.stem[-1]
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positions = nn.Parameter(torch.zeros(1, config.grid**2, width))
        self.resblocks = nn.ModuleList(ClipBlock(width, config.tower_heads) for _ in range(config.tower_layers))

    def forward(self, maps: Tensor) -> ClipMap:
        """Return the class token and patches after the last block, from maps (B, C, h, w)."""
        grid = (int(maps.shape[2]), int(maps.shape[3]))
        patches = maps.flatten(2).transpose(1, 2) + resize_positions(self.positions, grid)
        tokens = torch.cat([self.class_embedding.expand(len(maps), 1, -1), patches], dim=1)
        for block in self.resblocks:
            tokens = block(tokens)
        return ClipMap(tokens[:, :1], tokens[:, 1:].transpose(1, 2).reshape(len(maps), -1, *grid))


class SmallSide(nn.Module):
    """The side network: queries and the tower's patches through a few slim blocks."""

    def __init__(self, config: SmallSanConfig) -> None:
        super().__init__()
        width = config.side_width
        self.query_embed = nn.Parameter(torch.zeros(1, config.queries, width))
        self.positions = nn.Parameter(torch.zeros(1, config.grid**2, width))
        self.enter = nn.Conv2d(config.stem[-1], width, 1)
        self.blocks = nn.ModuleList(SideBlock(width, config.side_heads) for _ in range(config.side_layers))

    def forward(self, maps: Tensor) -> SideLayer:
        """Return queries and patches after the last block, from maps (B, C, h, w)."""
        grid, count = (int(maps.shape[2]), int(maps.shape[3])), self.query_embed.shape[1]
        patches = self.enter(maps).flatten(2).transpose(1, 2) + resize_positions(self.positions, grid)
        tokens = torch.cat([self.query_embed.expand(len(maps), -1, -1), patches], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        return SideLayer(tokens[:, :count], tokens[:, count:].transpose(1, 2).reshape(len(maps), -1, *grid))


class FineMasks(nn.Module):
    """What finer maps add to the masks: queries against the side network's patches, grown with the stem's help."""

    def __init__(self, config: SmallSanConfig) -> None:
        super().__init__()
        channels, width = config.channels, config.side_width
        self.query_mlp = Perceptron(nn.Linear, (width, width, channels))
        self.coarse, self.eighth = nn.Conv2d(width, channels, 1), nn.Conv2d(config.stem[2], channels, 1)
        self.quarter = nn.Conv2d(config.stem[1], channels, 1)
        self.join_eighth, self.join_quarter = convolution(channels, channels), convolution(channels, channels)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, layer: SideLayer, quarter: Tensor, eighth: Tensor) -> Tensor:
        """Return mask logits (B, Q, H / 4, W / 4)."""
        maps = functional.relu(self.join_eighth(_double(self.coarse(layer.patches)) + self.eighth(eighth)))
        maps = functional.relu(self.join_quarter(_double(maps) + self.quarter(quarter)))
        queries = self.query_mlp(layer.queries)
        # mask_q(y, x) = <query_q, pixel(y, x)> / sqrt(channels)
        masks: Tensor = torch.einsum("bqc,bchw->bqhw", queries, self.out(maps)) / queries.shape[-1] ** 0.5
        return masks


class WordTable(nn.Module):
    """Learned embeddings of groups of words; words of one group share theirs."""

    def __init__(self, config: SmallSanConfig) -> None:
        super().__init__()
        self.groups = nn.Parameter(torch.zeros(len(config.words), config.embedding))
        self.background = nn.Parameter(torch.zeros(1, config.embedding))
        self.logit_scale = nn.Parameter(torch.zeros(()))
        self._row = {clean(word): row for row, group in enumerate(config.words) for word in group}

    def forward(self, vocabulary: Sequence[str]) -> Tensor:
        """Return unit embeddings (C, E) of words.

        Raises:
            UnusableVocabulary: naming the entry at fault.
        """
        check_vocabulary(vocabulary)
        strange = [word for word in vocabulary if clean(word) not in self._row]
        if strange:
            near = _near(clean(strange[0]), list(self._row))
            hint = f"; nearest to that it knows {', '.join(near)}" if near else ""
            raise UnusableVocabulary(
                f"this small network does not know {strange[0]!r}{hint}; all it knows: {', '.join(self._row)}"
            )
        rows = [self._row[clean(word)] for word in vocabulary]
        return functional.normalize(self.groups[rows], dim=-1)

    def class_weights(self, text: Tensor) -> Tensor:
        """Turn class embeddings (C, E) into rows (C + 1, E) to multiply with regions; the last is background."""
        # logit = exp(s) <region, row>, both of unit length
        rows = functional.normalize(torch.cat([text, self.background]), dim=-1)
        return rows * self.logit_scale.exp()


def _double(maps: Tensor) -> Tensor:
    return functional.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)


def _initialise(network: SmallSan) -> None:
    """Draw what the modules leave at zero, because released weights fill it."""
    for table in (network.tower.class_embedding, network.tower.positions, network.side.positions):
        nn.init.normal_(table, std=0.02)
    for table in (network.side.query_embed, network.table.groups, network.table.background):
        nn.init.normal_(table, std=0.5)
    nn.init.normal_(network.recognition.proj, std=network.recognition.proj.shape[0] ** -0.5)
    nn.init.constant_(network.table.logit_scale, 2.0)


def _near(word: str, known: Sequence[str]) -> list[str]:
    """Return known words that are spelt like a word, or like the noun at its end."""
    tried = dict.fromkeys((word, word.rpartition(" ")[2]))
    alike = [found for each in tried for found in get_close_matches(each, known, n=3, cutoff=0.55)]
    return list(dict.fromkeys(alike))[:4]
