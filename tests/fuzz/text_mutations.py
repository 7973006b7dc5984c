"""Changes of XML and of tables in text, by tokens."""

import random
import re

from tests.fuzz import hostile

_TOKENS = re.compile(r"<[^>]*>|[^<]+")
_DOCTYPES = (
    '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>',
    '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">',
    "<!DOCTYPE r>",
)
_PIECES = (
    "&e;",
    "&c;",
    "&#0;",
    "&#xD800;",
    "&#x110000;",
    "&amp;",
    "<![CDATA[ ]]>",
    "<![CDATA[",
    "<!-- -- -->",
    "<?xml version='1.0'?>",
    "<?php ?>",
    "<item/>",
    "</item>",
    "<entry xmlns='http://www.w3.org/2005/Atom'>",
    "<x:y/>",
    '<a b="1" b="2"/>',
    "\0",
    "]]>",
)
_ENCODINGS = (
    "utf-8",
    "utf-16",
    "utf-7",
    "latin-1",
    "x-unknown",
    "idna",
    "rot13",
    "undefined",
    "zlib",
    "utf-32",
    "cp037",
)


def changed_xml(rng: random.Random, content: bytes) -> bytes:
    """Return an XML document with some tokens changed, moved or put in, or with entities and encodings declared."""
    tokens = _TOKENS.findall(content.decode())
    for _ in range(rng.choice((1, 1, 2, 4))):
        _change_token(rng, tokens)
    text = "".join(tokens)
    draw = rng.random()
    if draw < 0.06:
        text = rng.choice(_DOCTYPES) + text
    elif draw < 0.12:
        text = f'<?xml version="1.0" encoding="{rng.choice(_ENCODINGS)}"?>' + re.sub(r"<\?xml[^>]*>", "", text)
    encoding = rng.choice(("utf-16", "latin-1", "utf-32")) if rng.random() < 0.03 else "utf-8"
    return text.encode(encoding, "surrogatepass" if encoding != "latin-1" else "replace")


def _change_token(rng: random.Random, tokens: list[str]) -> None:
    place = rng.randrange(len(tokens))
    kind = rng.choice(("text", "text", "piece", "gone", "copied", "nested", "attribute", "moved"))
    if kind == "text":
        tokens[place] = (
            hostile.string(rng) if not tokens[place].startswith("<") else tokens[place] + hostile.string(rng)
        )
    elif kind == "piece":
        tokens.insert(place, rng.choice(_PIECES))
    elif kind == "gone" and len(tokens) > 1:
        del tokens[place]
    elif kind == "copied":
        tokens[place:place] = tokens[place : place + rng.randint(1, 12)] * rng.choice((1, 2, 300))
    elif kind == "nested":
        tokens.insert(place, hostile.nested(rng, "<a>", "</a>"))
    elif kind == "attribute":
        written = hostile.string(rng).replace('"', "").replace("<", "")
        tokens[place] = re.sub(r'"[^"]*"', lambda _: f'"{written}"', tokens[place], count=1)
    else:
        tokens.insert(rng.randrange(len(tokens)), tokens.pop(place))


def changed_lines(rng: random.Random, content: bytes, separator: str = ",") -> bytes:
    """Return lines of cells with some cells or lines changed."""
    lines = [line.split(separator) for line in content.decode().split("\n")]
    for _ in range(rng.choice((1, 1, 2, 4))):
        cells = rng.choice(lines)
        place = rng.randrange(len(cells))
        kind = rng.choice(("string", "string", "number", "gone", "more", "quoted", "line", "swapped"))
        if kind == "string":
            cells[place] = hostile.string(rng)
        elif kind == "number":
            cells[place] = hostile.number(rng)
        elif kind == "gone":
            del cells[place:]
            cells.append("")
        elif kind == "more":
            cells.extend([cells[place]] * rng.choice((1, 3, 1000)))
        elif kind == "quoted":
            cells[place] = rng.choice(('"', '""', '"a\nb"', '"a""b', "'", '"' + cells[place]))
        elif kind == "line":
            lines.insert(rng.randrange(len(lines) + 1), list(cells))
        else:
            lines[rng.randrange(len(lines))] = list(cells)
    end = rng.choice(("\n", "\n", "\r\n", "\r"))
    return end.join(separator.join(cells) for cells in lines).encode("utf-8", "surrogatepass")
