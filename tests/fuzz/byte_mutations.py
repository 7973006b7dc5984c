"""Changes of bytes whose meaning is not looked at: flips, cuts, copies, lengths that lie."""

import random
from collections.abc import Callable, Sequence

from tests.fuzz.hostile import WORDS

SMALL = 64
LENGTHS = (0, 1, -1, 2**7, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)


def changed_bytes(rng: random.Random, content: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Return ``content`` after one to eight changes; ``others`` are true inputs that pieces are taken from."""
    for _ in range(min(8, 1 + int(rng.expovariate(0.7)))):
        content = rng.choice(CHANGES)(rng, content, others)
    return content


def _span(rng: random.Random, content: bytes) -> tuple[int, int]:
    start = rng.randrange(len(content) + 1)
    longest = len(content) - start if rng.random() < 0.1 else min(SMALL, len(content) - start)
    return start, start + rng.randint(0, longest)


def _flip(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    if not content:
        return content
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _put(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    start, word = rng.randrange(len(content) + 1), rng.choice(WORDS)
    end = start + (len(word) if rng.random() < 0.5 else 0)
    return content[:start] + word + content[end:]


def _cut(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _leave_out(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    start, end = _span(rng, content)
    return content[:start] + content[end:]


def _copy(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    start, end = _span(rng, content)
    place = rng.randrange(len(content) + 1)
    return content[:place] + content[start:end] * rng.choice((1, 1, 2, 50)) + content[place:]


def _splice(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others) if others else content
    start, end = _span(rng, other)
    place = rng.randrange(len(content) + 1)
    return content[:place] + other[start:end] + content[place + (end - start if rng.random() < 0.5 else 0) :]


def _noise(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    start, end = _span(rng, content)
    return content[:start] + rng.randbytes(min(end - start, SMALL)) + content[end:]


def _zeros(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    start, end = _span(rng, content)
    return content[:start] + bytes(end - start) + content[end:]


def _length(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    width, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
    place = rng.randrange(max(1, len(content) - width + 1))
    value = rng.choice((*LENGTHS, len(content), len(content) + 1)) % 256**width
    return content[:place] + value.to_bytes(width, order) + content[place + width :]


Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes]
CHANGES: tuple[Change, ...] = (_flip, _flip, _put, _cut, _leave_out, _copy, _splice, _noise, _zeros, _length, _length)
