"""What one video drew from the ranges of its settings."""

from dataclasses import dataclass

import numpy as np

from pipeline.tours.effects.draws import generator, within
from pipeline.tours.effects.layout import Layout
from pipeline.tours.effects.lens import Lens, bends_at_most
from pipeline.tours.effects.overlays import Overlays
from pipeline.tours.effects.sensor import Drift, Sensor
from pipeline.tours.effects.settings import EffectSettings
from pipeline.tours.effects.shutter import Shutter


@dataclass(frozen=True)
class VideoEffects:
    """Lens, shutter, sensor, layout and overlays of one video. bitrate_kbps: as in ``Encoding``."""

    lens: Lens
    shutter: Shutter
    sensor: Sensor
    layout: Layout
    overlays: Overlays
    bitrate_kbps: float = 0.0
    variable_rate: bool = False

    @classmethod
    def draw(
        cls, seed: int, settings: EffectSettings, field_of_view: float, fps: int, plain_noise: float
    ) -> "VideoEffects":
        """Draw the effects of a video.

        field_of_view: of the picture's longer side, degrees. plain_noise: grey levels, where there is no ISO.
        """
        draw = generator(seed, "format")
        layout = Layout.of(settings.formats[int(draw.integers(len(settings.formats)))])
        exposure_s = min(within(generator(seed, "exposure"), settings.exposure_ms) / 1000, 1 / fps)
        chances = {name: generator(seed, name).random() for name in ("captions", "logos", "variable_rate")}
        return cls(
            lens=_lens(seed, settings, field_of_view, layout.camera_size),
            shutter=Shutter(
                within(generator(seed, "readout"), settings.readout_ms) / 1000, exposure_s, settings.exposure_samples
            ),
            sensor=_sensor(seed, settings, plain_noise),
            layout=layout,
            overlays=Overlays(
                seed,
                layout.width,
                layout.height,
                captions=chances["captions"] < settings.captions,
                logo=chances["logos"] < settings.logos,
            ),
            bitrate_kbps=within(generator(seed, "bitrate"), settings.bitrate_kbps),
            variable_rate=chances["variable_rate"] < settings.variable_rate,
        )


def fps_of(seed: int, settings: EffectSettings, fps: int) -> int:
    """Return the frame rate that a video drew, ``fps`` where there is nothing to draw from."""
    rates = settings.frame_rates
    return rates[int(generator(seed, "frame rate").integers(len(rates)))] if rates else fps


def _lens(seed: int, settings: EffectSettings, field_of_view: float, size: tuple[int, int]) -> Lens:
    """Draw the lens; one that is too wide for the distortion it drew has as much as it can have."""
    focal = max(size) / 2 / np.tan(np.radians(field_of_view) / 2)
    largest = settings.principal_point * size[0]
    shift = generator(seed, "principal point").uniform(-largest, largest, 2)
    intrinsics = np.array([[focal, 0, size[0] / 2 + shift[0]], [0, focal, size[1] / 2 + shift[1]], [0, 0, 1]])
    k1 = within(generator(seed, "distortion"), settings.distortion)
    return Lens(intrinsics.astype(np.float32), max(k1, bends_at_most(size, float(focal), largest)))


def _sensor(seed: int, settings: EffectSettings, plain_noise: float) -> Sensor:
    red_or_blue = within(generator(seed, "white balance"), settings.white_balance_drift)
    low, high = settings.iso
    iso = float(np.exp(generator(seed, "iso").uniform(np.log(max(low, 1)), np.log(max(high, 1))))) if high else 0.0
    return Sensor(
        seed,
        stops=Drift(seed, "stops", within(generator(seed, "exposure drift"), settings.exposure_drift)),
        red=Drift(seed, "red", red_or_blue),
        blue=Drift(seed, "blue", red_or_blue),
        iso=iso,
        plain_noise=plain_noise,
    )
