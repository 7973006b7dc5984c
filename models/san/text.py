"""The text side: a CLIP text tower that lives in the SAN checkpoint, and the embeddings of classes it gives."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.array_cache import ArrayCache, content_key, tensors_key
from models.san.clip import ClipBlock
from models.san.config import CONTEXT_LENGTH, TOKENS, SanConfig
from models.san.prompts import END, TEMPLATES, check_vocabulary, prompts, tokenize

WORDS_AT_ONCE = 16
"""Words put through the tower together, each in 14 prompts: bounds memory."""


class TextTower(nn.Module):
    """CLIP's text tower, with the scale of logits and SAN's learned background row."""

    def __init__(self, config: SanConfig) -> None:
        super().__init__()
        width = config.text_width
        self.positional_embedding = nn.Parameter(torch.zeros(CONTEXT_LENGTH, width))
        self.text_projection = nn.Parameter(torch.zeros(width, config.embedding))
        self.logit_scale = nn.Parameter(torch.zeros(()))
        self.bg_embed = nn.Parameter(torch.zeros(1, config.embedding))
        self.token_embedding = nn.Embedding(TOKENS, width)
        self.ln_final = nn.LayerNorm(width)
        blocks = nn.ModuleList(ClipBlock(width, config.text_heads) for _ in range(config.text_layers))
        self.transformer = nn.ModuleDict({"resblocks": blocks})

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return unit embeddings (T, E) of texts, read at their end mark.

        Tokens see only what comes before them, so nothing is gained by padding to all 77 places.
        """
        tokenized = tokenize(texts)
        longest = max(map(len, tokenized))
        device = self.bg_embed.device
        ids = torch.tensor([[*one, *[END] * (longest - len(one))] for one in tokenized], device=device)
        tokens = self.token_embedding(ids) + self.positional_embedding[:longest]
        for block in cast("nn.ModuleList", self.transformer["resblocks"]):
            tokens = block(tokens, causal=True)
        ends = torch.tensor([len(one) - 1 for one in tokenized], device=device)
        read = self.ln_final(tokens)[torch.arange(len(texts), device=device), ends]
        return functional.normalize(read @ self.text_projection, dim=-1)

    def class_weights(self, text: Tensor) -> Tensor:
        """Turn class embeddings (C, E) into rows (C + 1, E) to multiply with regions; the last is background."""
        # logit = exp(s) <region, row>, both of unit length
        rows = functional.normalize(torch.cat([text, self.bg_embed]), dim=-1)
        return rows * self.logit_scale.exp()


class ClassEmbeddings:
    """Embeddings of classes by a text tower, each word computed once and kept in memory and, if asked, in a folder."""

    def __init__(self, tower: TextTower, cache: ArrayCache | None = None) -> None:
        self._tower = tower
        self._cache = cache
        self._known: dict[str, Tensor] = {}
        self._tower_key = content_key(tensors_key(tower.parameters()), *TEMPLATES)

    def of(self, vocabulary: Sequence[str]) -> Tensor:
        """Return unit embeddings (C, E) of words: the mean over the 14 prompts of each.

        Raises:
            UnusableVocabulary: naming the entry at fault.
        """
        check_vocabulary(vocabulary)
        missing = [word for word in vocabulary if word not in self._known and not self._recall(word)]
        for first in range(0, len(missing), WORDS_AT_ONCE):
            self._compute(missing[first : first + WORDS_AT_ONCE])
        return torch.stack([self._known[word] for word in vocabulary]).to(self._tower.bg_embed)

    def _recall(self, word: str) -> bool:
        stored = self._cache.load(self._key(word)) if self._cache else None
        if stored is not None:
            self._known[word] = torch.from_numpy(stored["embedding"])
        return stored is not None

    @torch.no_grad()
    def _compute(self, words: Sequence[str]) -> None:
        by_prompt = self._tower([prompt for word in words for prompt in prompts(word)])
        means = functional.normalize(by_prompt.reshape(len(words), len(TEMPLATES), -1).mean(dim=1), dim=-1)
        for word, embedding in zip(words, means.float().cpu(), strict=True):
            self._known[word] = embedding
            if self._cache:
                self._cache.store(self._key(word), {"embedding": embedding.numpy()})

    def _key(self, word: str) -> str:
        return content_key(self._tower_key, word)
