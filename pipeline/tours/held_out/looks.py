"""Gives the things of a house that is only scored the patterns and colours of no other house."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.tours.held_out.patterns import INSTEAD
from pipeline.tours.materials import Material
from pipeline.tours.surfaces import Thing


def relooked(things: Sequence[Thing]) -> list[Thing]:
    """Return the things with held-out patterns, colours drawn by the seeds of their materials."""
    return [Thing(item.label, tuple((sheet, _other(old)) for sheet, old in item.parts)) for item in things]


def _other(old: Material) -> Material:
    pattern, colours = INSTEAD[old.pattern]
    if not colours:
        return replace(old, pattern=pattern)
    rng = np.random.default_rng(old.seed)
    colour, accent = (colours[int(i)] for i in rng.choice(len(colours), 2, replace=False))
    return replace(old, pattern=pattern, colour=colour, accent=accent)
