"""The sensor: exposure and white balance that drift, noise of light and of reading out, and the curve of the film."""

from dataclasses import dataclass

import numpy as np

from pipeline.contract.arrays import Floats
from pipeline.tours.effects.draws import generator

GAMMA = 2.2
ELECTRONS_AT_ISO_100 = 20_000
"""Electrons of a white pixel at ISO 100: a phone's 5000 of 1.4 micrometres, times four for 4K shrunk to 480 rows."""
READ_ELECTRONS = 6.0
"""Deviation of what reading out adds: 3 a pixel of the sensor, four of them summed."""
SETTLING_S, UNSETTLED = 0.6, 0.5
"""Seconds in which automatic exposure comes to rest after a cut, and how wrong it is there, share of its drift."""


@dataclass(frozen=True)
class Drift:
    """A slow smooth curve about 0 that stays within ``amplitude``; ``purpose`` tells one of a video from another."""

    seed: int
    purpose: str
    amplitude: float

    def at(self, seconds: float) -> float:
        """Return its value at a time of the video."""
        if not self.amplitude:
            return 0.0
        draw = generator(self.seed, self.purpose)
        hertz, phase = draw.uniform(0.03, 0.35, 3), draw.uniform(0, 2 * np.pi, 3)
        return float(self.amplitude * np.sin(2 * np.pi * hertz * seconds + phase).mean())


@dataclass(frozen=True)
class Sensor:
    """What makes numbers of light.

    stops, red, blue: how exposure and white balance drift. iso: sensitivity, 0 for a deviation of the noise of
    ``plain_noise`` grey levels instead. seed: of the noise.
    """

    seed: int
    stops: Drift
    red: Drift
    blue: Drift
    iso: float = 0.0
    plain_noise: float = 0.0

    def gains(self, seconds: float, since_cut: float) -> Floats:
        """Return by what linear light is multiplied, (3,) RGB, at a time of the video, ``since_cut`` after a cut."""
        unsettled = UNSETTLED * self.stops.amplitude * np.exp(-max(since_cut, 0.0) / SETTLING_S)
        stops = self.stops.at(seconds) + unsettled * np.sign(self.stops.at(seconds - since_cut))
        return np.array(
            [2**stops * (1 + self.red.at(seconds)), 2**stops, 2**stops * (1 + self.blue.at(seconds))], np.float32
        )

    def developed(self, light: Floats, gains: Floats, number: tuple[int, int]) -> Floats:
        """Return the picture (h, w, 3) float32 in 0..255 of linear light (h, w, 3), 1 = white.

        number: shot and frame, which tell the noise of one picture from another's.
        """
        exposed = light * gains
        noise = np.random.default_rng((self.seed, *number)).standard_normal(exposed.shape, dtype=np.float32)
        if not self.iso:
            return to_film(exposed) + self.plain_noise * noise
        full = np.float32(ELECTRONS_AT_ISO_100 * 100 / self.iso)
        deviation = np.sqrt(np.maximum(exposed, 0) / full + np.float32((READ_ELECTRONS / full) ** 2))
        return to_film(exposed + deviation * noise)


def to_light(picture: Floats) -> Floats:
    """Return linear light, 1 = white, of a picture in 0..255."""
    return np.asarray(np.power(np.clip(picture, 0, None) / np.float32(255), np.float32(GAMMA)))


def to_film(light: Floats) -> Floats:
    """Return a picture in 0..255 of linear light; what is brighter than white is white."""
    return np.asarray(np.float32(255) * np.power(np.clip(light, 0, 1), np.float32(1 / GAMMA)))
