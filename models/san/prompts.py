"""From words to prompts to CLIP's tokens.

The merges of CLIP's byte-pair encoding (``clip_merges.txt.gz``) are OpenAI's, MIT licence.
"""

import gzip
import html
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from models.errors import UnusableVocabulary
from models.san.config import CONTEXT_LENGTH, TOKENS

START, END = TOKENS - 2, TOKENS - 1
_SIZES = ("small", "medium", "large")
TEMPLATES = (
    "a photo of a {}.",
    "This is a photo of a {}",
    "There is a {} in the scene",
    "There is the {} in the scene",
    "a photo of a {} in the scene",
    *(f"a photo of a {size} {{}}." for size in _SIZES),
    *(f"This is a photo of a {size} {{}}." for size in _SIZES),
    *(f"There is a {size} {{}} in the scene." for size in _SIZES),
)
"""The 14 sentences of ViLD (Gu et al., ICLR 2022) that SAN was trained with, to the letter."""
_PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"


def check_vocabulary(words: Sequence[str]) -> None:
    """Make sure that a vocabulary can be used.

    Raises:
        UnusableVocabulary: no words at all, a blank, a word given twice (case and blanks aside), or one too long.
    """
    if not words:
        raise UnusableVocabulary("the vocabulary is empty: give at least one word")
    plain = Counter(clean(word) for word in words)
    if "" in plain:
        raise UnusableVocabulary("the vocabulary holds a blank entry")
    twice = [word for word, count in plain.items() if count > 1]
    if twice:
        raise UnusableVocabulary(f"given more than once in the vocabulary: {', '.join(twice)}")
    tokenize([prompt for word in words for prompt in prompts(word)])


def prompts(word: str) -> list[str]:
    """Put a word into the 14 templates."""
    return [template.replace("{}", word) for template in TEMPLATES]


def tokenize(texts: Sequence[str]) -> list[list[int]]:
    """Return CLIP's token ids of each text, between start and end marks.

    Raises:
        UnusableVocabulary: a text is longer than the 77 tokens CLIP takes.
    """
    encoded = [[START, *found.ids, END] for found in _tokenizer().encode_batch([clean(text) for text in texts])]
    for text, ids in zip(texts, encoded, strict=True):
        if len(ids) > CONTEXT_LENGTH:
            raise UnusableVocabulary(f"{text[:60]!r}... has {len(ids)} tokens; CLIP takes {CONTEXT_LENGTH}")
    return encoded


def clean(text: str) -> str:
    """Unescape HTML (twice, as CLIP does), collapse white space, lower the case."""
    return " ".join(html.unescape(html.unescape(text)).split()).lower()


@cache
def _tokenizer() -> Tokenizer:
    packed = (files("models.san") / "clip_merges.txt.gz").read_bytes()
    merges = [(left, right) for left, right in (line.split() for line in gzip.decompress(packed).decode().splitlines())]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *(left + right for left, right in merges)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer
