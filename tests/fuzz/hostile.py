"""Values that parsers have tripped over before: as text of JSON or YAML, and as plain strings."""

import random

STRINGS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "../../outside/kept.txt",
    "/etc/passwd",
    "~nobody-has-this-name/x",
    "A" * 70_000,
    "\u00e9\u0301" * 300,
    "\u202e",
    "\n",
    "9" * 5000,
    "tour://99999999999",
    "http://[::1",
    "http://127.0.0.1:1/x",
    "http://\uff45xample.org/",
    "https://example.org:99999/",
    "file:///etc/passwd",
    "2026-13-45",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "nan",
    "true",
    "[",
    "(a+)+$",
    "%(x)s{0}",
    "\u0661\u0662",
    "1e400",
    "-1",
)
NUMBERS = (
    "NaN",
    "-Infinity",
    "1e999",
    "-1",
    "0",
    "-0.0",
    "1e-400",
    "1.5",
    "2147483648",
    "9223372036854775807",
    "18446744073709551616",
    "1" + "0" * 30,
    "9" * 5000,
)
LITERALS = ("null", "true", "false", "[]", "{}", "[null]", '{"": null}', "[[]]", '""')
YAML = (
    "&a [*a]",
    "&a {a: *a}",
    "*missing",
    "2026-13-45",
    "0001-01-01 00:00:00 +99:99",
    "!!python/object/apply:os.system [true]",
    "!!int x",
    "!!int ''",
    "!!float x",
    "!!timestamp x",
    "!!bool x",
    "!!null x",
    "!!binary '*'",
    "!!omap x",
    "!!set {a, b}",
    "!!str {a: b}",
    "0x",
    "0b",
    "0o9",
    "190:20:30:99",
    "+.inf",
    ".nan",
    "{? [a] : b}",
    "{? {a: b} : c}",
    "{<<: x}",
    "{<<: [1]}",
    "{1: a, true: b, null: c}",
    "{2026-01-01: a, 1.5: b}",
    "{a: b, a: c}",
    "|\n  text",
    "%TAG",
    "@x",
    "\\xff",
    '"\\ud800"',
    '"\\U0011ffff"',
)
WORDS = (
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\0\0\0\0\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
)


def number(rng: random.Random) -> str:
    """Return a number as JSON writes it, some that it must not write among them."""
    return rng.choice(NUMBERS)


def string(rng: random.Random) -> str:
    """Return a string that asks for trouble."""
    return rng.choice(STRINGS)


def nested(rng: random.Random, opening: str, closing: str, innermost: str = "") -> str:
    """Return something deeply nested, closed or left open."""
    depth = rng.choice((20, 200, 1100, 20_000))
    return opening * depth + innermost + (closing * depth if rng.random() < 0.7 else "")


def yaml_bomb(rng: random.Random, levels: int = 0) -> str:
    """Return a few hundred bytes that stand for 10 to the ``levels`` values once aliases are followed."""
    levels = levels or rng.choice((3, 9, 30))
    lines = ["[&a0 x"]
    lines += [f"&a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels)]
    return ", ".join(lines) + f", *a{levels - 1}]"
