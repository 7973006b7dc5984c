"""Matches alone tell of a strong bend, whatever the focal length, the way and a zoom; and of none where there is none.

COLMAP runs in a process of its own, as its libraries clash with OpenCV's.
"""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
import numpy as np
from pipeline.geometry.distortion import Distortion
from pipeline.stages.reconstruction.colmap.bend import bend_of
from pipeline.stages.reconstruction.colmap.pairs import Features
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings

def features(k1, *, wrong=0.2, count=500, frames=6, zoom=1.0, focal=520.0, seed=0):
    draw = np.random.default_rng(seed)
    points = draw.uniform((-3, -2, 2.5), (3, 2, 7), (count, 3))
    found = Features.__new__(Features)
    found.frame_of = {n + 1: n for n in range(frames)}
    found.pixels, seen = {}, {}
    for n in range(frames):
        turn = 0.05 * n
        rotation = np.array([[np.cos(turn), 0, -np.sin(turn)], [0, 1, 0], [np.sin(turn), 0, np.cos(turn)]])
        at = (points - (0.25 * n, 0.02 * n, 0.1 * n)) @ rotation.T
        length = focal * zoom ** (n / (frames - 1))
        ideal = at[:, :2] / at[:, 2:] * length + (320, 240)
        lens = Distortion(k1=k1)
        film = lens.bent((320, 240) + (ideal - (320, 240)) * lens.enlarged)
        unfolded = 1 + 3 * k1 * (((ideal - (320, 240)) / 400) ** 2).sum(axis=1) > 0.1
        inside = (np.abs(film - (320, 240)) < (320, 240)).all(axis=1) & unfolded
        found.pixels[n + 1] = film + draw.normal(0, 0.4, film.shape)
        seen[n + 1] = inside
    found.matches = {}
    for a in range(1, frames + 1):
        for b in range(a + 1, frames + 1):
            both = np.flatnonzero(seen[a] & seen[b])
            match = np.stack([both, both], 1)
            off = draw.random(len(both)) < wrong
            match[off, 1] = draw.permutation(match[off, 1])
            found.matches[a, b] = match.astype(np.uint32)
    return found

said = json.loads(sys.argv[1])
fit = bend_of(features(**said), LensSettings(), 0)
print(json.dumps([fit.lens.k1, fit.plain, fit.fitted, fit.weight]))
"""


def told(**said: float) -> tuple[float, float, float, float]:
    run = subprocess.run([sys.executable, "-c", PROGRAM, json.dumps(said)], capture_output=True, text=True, check=True)
    k1, plain, fitted, weight = json.loads(run.stdout)
    return k1, plain, fitted, weight


@pytest.mark.parametrize("k1", [-0.08, -0.12, -0.2])
def test_a_strong_bend_is_told_by_matches(k1: float):
    found, plain, fitted, weight = told(k1=k1)
    assert found == pytest.approx(k1, abs=0.025)
    assert fitted < 0.97 * plain
    assert weight > 100


def test_neither_focal_length_nor_zoom_is_taken_for_a_bend():
    for said in ({"focal": 300.0}, {"focal": 900.0}, {"zoom": 1.5}, {"zoom": 0.7}, {"wrong": 0.5}):
        assert told(k1=0.0, **said)[0] == 0


def test_a_bend_is_told_beside_a_zoom_and_many_mismatches():
    for said in ({"zoom": 1.4}, {"wrong": 0.45}, {"focal": 700.0}):
        assert told(k1=-0.12, **said)[0] == pytest.approx(-0.12, abs=0.03)


def test_few_matches_tell_nothing():
    assert told(k1=-0.2, count=30) == (0, 0, 0, 0)
