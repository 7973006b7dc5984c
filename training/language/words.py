"""Words that a network is compared with: those of the eleven classes, through the text side it was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.weights.cache import shipped
from models.weights.registry import WEIGHTS
from pipeline.contract.arrays import Floats
from pipeline.contract.errors import OtherWeights
from pipeline.contract.language import TextSide
from pipeline.contract.vocabulary import GROUP_LABELS, UNKNOWN_GROUP, Vocabulary


@dataclass(frozen=True)
class ClassWords:
    """Synonyms of the classes: unit vectors (P, E) float32 and the class of each (P,) uint8."""

    vectors: Floats
    labels: NDArray[np.uint8]

    def best(self, cosines: Floats) -> NDArray[np.uint8]:
        """Return the class (n,) of the text that comes closest; cosines: (n, P). The best synonym speaks for all."""
        return np.asarray(self.labels[cosines.argmax(axis=1)], np.uint8)


def class_words(text: TextSide, vocabulary: Vocabulary) -> ClassWords:
    """Return the vocabulary's words of the eleven classes; what is no part of a room takes no part.

    Raises:
        UnusableQuery: a word is one that the text side cannot take, or comes twice.
    """
    groups = vocabulary.groups
    chosen = [word for word, group in zip(vocabulary.words, groups, strict=True) if group < UNKNOWN_GROUP]
    return ClassWords(text.embed(chosen), GROUP_LABELS[groups[groups < UNKNOWN_GROUP]])


def weights_named(weights: Mapping[str, str], network: str) -> str:
    """Return the name of the weights whose words a network was trained with: shipped or registered ones.

    weights: SHA-256 by file name, as the description of the network notes them. network: its name, for the message.

    Raises:
        OtherWeights: they are neither, so that only whoever trained the network knows where they lie.
    """
    known = {f"{name}.safetensors": name for name in shipped()}
    known |= {file.file_name: name for name, file in WEIGHTS.items()}
    found = next((known[file] for file in weights if file in known), None)
    if found is None:
        raise OtherWeights(f"{network} has learned the words of {', '.join(weights)}: say where it lies with --weights")
    return found


def check_text_side(text: TextSide, weights: Mapping[str, str], name: str) -> None:
    """Make sure that a network was trained on the embeddings of this text side.

    weights: SHA-256 by file name, as its description notes them. name: of the network.

    Raises:
        OtherWeights: it was not, so that products of its vectors with these words would mean nothing.
    """
    if set(weights.values()) != set(text.weights.values()):
        raise OtherWeights(
            f"{name} has learned the vectors of {', '.join(weights)} and not of {text.name}: "
            "name those weights with --weights"
        )
