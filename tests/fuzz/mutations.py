"""Changes true inputs at random: one number decides everything, so that an input comes again."""

import json
import random
import re
from collections.abc import Callable

ODD_NUMBERS = (0, -1, 1, 255, 256, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**400)
ODD_TEXTS = (
    "", "\x00", "../../etc/passwd", "/dev/zero", "http://169.254.169.254/", "file:///etc/passwd", "a" * 100_000,
    "\ud800", "\u202e", "é" * 3000, "NaN", "1e999", "__import__('os').system('true')",
    "!!python/object/apply:os.abort []",
    "&a [*a]", "{{}}", "%s%n", "nul", "C:\\con", "-rf", "\r\n\r\n", "[" * 2000, '{"a":' * 2000, "null", "true",
)  # fmt: skip
ODD_BYTES = (
    b"\x00",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x80" * 8,
    b"PAR1",
    b"PK\x03\x04",
    b"\x80\x02c",
    b"\n",
)
MOST = 200_000
"""Bytes of the longest input."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|\w+|[^\w\s]|\n')

Mutation = Callable[[bytes, random.Random], bytes]


def mutated(corpus: tuple[bytes, ...], seed: int) -> bytes:
    """Return the input that a seed makes of true ones."""
    draw = random.Random(seed)
    content = draw.choice(corpus)
    is_text = _is_text(content)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        chosen = draw.choice(_OF_TEXT if is_text and draw.random() < 0.75 else _OF_BYTES)
        content = chosen(content, draw)[:MOST]
    return content


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _flip(content: bytes, draw: random.Random) -> bytes:
    if not content:
        return content
    found = bytearray(content)
    for _ in range(draw.choice((1, 1, 4, 32))):
        found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    return bytes(found)


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _remove(content: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(content) + 1)
    return content[:start] + content[start + draw.choice((1, 2, 4, 8, 100)) :]


def _insert(content: bytes, draw: random.Random) -> bytes:
    place, piece = draw.randrange(len(content) + 1), draw.choice(ODD_BYTES)
    return content[:place] + piece * draw.choice((1, 1, 50)) + content[place:]


def _overwrite(content: bytes, draw: random.Random) -> bytes:
    place, piece = draw.randrange(len(content) + 1), draw.choice(ODD_BYTES)
    return content[:place] + piece + content[place + len(piece) :]


def _repeat(content: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(content) + 1)
    piece = content[start : start + draw.choice((1, 10, 200))]
    return content[:start] + piece * draw.choice((2, 3, 200)) + content[start:]


def _number(content: bytes, draw: random.Random) -> bytes:
    """Write an odd number over four or eight bytes, as lengths and offsets are."""
    size, order = draw.choice((4, 8)), draw.choice(("little", "big"))
    place = draw.randrange(len(content) + 1)
    value = draw.choice(ODD_NUMBERS[:-1]) % 2 ** (8 * size)
    return content[:place] + value.to_bytes(size, order) + content[place + size :]


def _token(content: bytes, draw: random.Random) -> bytes:
    """Put an odd value, or another token of the text, in the place of a token."""
    text = content.decode(errors="replace")
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return content
    chosen = draw.choice(tokens)
    odd = draw.choice(
        (
            str(draw.choice(ODD_NUMBERS)), json.dumps(draw.choice(ODD_TEXTS)), draw.choice(ODD_TEXTS), "null",
            "[]", "{}",
            "NaN", "-Infinity", "true", "1e400", draw.choice(tokens).group(), draw.choice(tokens).group(),
        )
    )  # fmt: skip
    changed = text[: chosen.start()] + odd + text[chosen.end() :]
    return changed.encode(errors="surrogatepass" if draw.random() < 0.3 else "replace")


def _value(content: bytes, draw: random.Random) -> bytes:
    """Change, remove, repeat or nest a value of a JSON text; other texts stay."""
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return content
    places: list[tuple[dict | list, object]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            places.append((node, key))
            waiting.append(node[key])
    if not places:
        return content
    node, key = draw.choice(places)
    _change(node, key, draw)
    return json.dumps(tree).encode(errors="surrogatepass")


def _change(node: dict | list, key: object, draw: random.Random) -> None:
    what = draw.randrange(6)
    if what == 0:
        del node[key]
    elif what == 1:
        node[key] = [node[key]] * draw.choice((1, 2, 300))
    elif what == 2:
        node[key] = {"a": node[key]}
    elif what == 3 and isinstance(node, dict):
        node[draw.choice(ODD_TEXTS)[:200]] = node.pop(key)
    elif what == 4:
        node[key] = draw.choice(ODD_TEXTS)
    else:
        node[key] = draw.choice((None, True, [], {}, 1.5, float("nan"), *ODD_NUMBERS))


_OF_BYTES: tuple[Mutation, ...] = (_flip, _cut, _remove, _insert, _overwrite, _repeat, _number)
_OF_TEXT: tuple[Mutation, ...] = (_token, _token, _value, _value)
