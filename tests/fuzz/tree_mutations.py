"""Changes of JSON and YAML that keep the rest of the document well-formed."""

import json
import random
from collections.abc import Iterator
from typing import Any

import yaml

from tests.fuzz import hostile

MARK = "RAW-0dd-"
"""Stands in a tree for text that no tree can hold."""


def changed_json(rng: random.Random, content: bytes) -> bytes:
    """Return a JSON document with one to three values or keys changed."""
    root = {"": json.loads(content)}
    raw = [_changed_place(rng, root, f"{MARK}{index}-", yaml_too=False) for index in range(rng.choice((1, 1, 2, 3)))]
    text = json.dumps(root[""], ensure_ascii=rng.random() < 0.7)
    return _with_raw(rng, text, raw)


def changed_yaml(rng: random.Random, content: bytes) -> bytes:
    """Return a YAML document with one to three values or keys changed, or with anchors that name one another."""
    root = {"": json.loads(json.dumps(yaml.safe_load(content), default=str))}
    raw = [_changed_place(rng, root, f"{MARK}{index}-", yaml_too=True) for index in range(rng.choice((1, 1, 2, 3)))]
    if rng.random() < 0.3:
        text = yaml.safe_dump(root[""], allow_unicode=True)
    else:
        text = json.dumps(root[""], ensure_ascii=rng.random() < 0.7)
    return _with_raw(rng, text, raw)


def _changed_place(rng: random.Random, root: dict[str, Any], mark: str, *, yaml_too: bool) -> tuple[str, str]:
    """Change one place of a tree; return a mark and the text that it stands for there."""
    holder, key = rng.choice(list(_places(root)))
    kind = rng.choice(("value", "value", "value", "gone", "renamed", "wrapped", "copied", "swapped", "twin"))
    if kind == "value":
        holder[key] = mark
        return mark, _raw(rng, yaml_too=yaml_too)
    if kind == "wrapped":
        holder[key] = rng.choice(([holder[key]], {"a": holder[key]}, [holder[key]] * 3))
    elif kind == "swapped":
        other, place = rng.choice(list(_places(root)))
        holder[key] = json.loads(json.dumps(other[place]))
    elif kind == "copied" and isinstance(holder, list):
        holder.extend([holder[key]] * rng.choice((1, 2, 100)))
    elif kind == "twin" and isinstance(holder, dict) and holder is not root:
        holder[mark] = holder[key]
        return mark, json.dumps(key)
    elif holder is not root:
        moved = holder.pop(key)
        if kind == "renamed" and isinstance(holder, dict):
            holder[hostile.string(rng)[:200]] = moved
    return mark, "null"


def _raw(rng: random.Random, *, yaml_too: bool) -> str:
    draw = rng.random()
    if draw < 0.3:
        return hostile.number(rng)
    if draw < 0.55:
        return json.dumps(hostile.string(rng))
    if draw < 0.6:
        return rng.choice((hostile.nested(rng, "[", "]"), hostile.nested(rng, '{"a":', "}", "1")))
    if yaml_too:
        return hostile.yaml_bomb(rng) if draw < 0.65 else rng.choice(hostile.YAML)
    return rng.choice(hostile.LITERALS)


def _with_raw(rng: random.Random, text: str, raw: list[tuple[str, str]]) -> bytes:
    for mark, written in raw:
        text = text.replace(f'"{mark}"', written).replace(mark, written)
    if rng.random() < 0.03:
        text = rng.choice(("\ufeff", " ", "\0", "")) + text + rng.choice(("", "\0", "{}", ","))
    encoding = "utf-16" if rng.random() < 0.01 else "utf-8"
    return text.encode(encoding, "surrogatepass")


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from _places(node[key])
