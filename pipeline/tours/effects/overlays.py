"""What publishers lay over a film: captions that come and go, and a logo in a corner."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.tours.effects.draws import generator

CAPTIONS = (
    "Living room",
    "Open plan kitchen",
    "Master bedroom with built-ins",
    "Sunny dining area",
    "4 bed | 3 bath",
    "Subscribe for more tours",
    "Hardwood floors throughout",
)
LOGOS = ("HOMES", "@ourhouse", "Realty One", "CASA")
PERIOD_S = 5.0
SHOWN_S = (1.5, 4.0)
"""A caption begins every so many seconds and stays for some of them."""
COVERED = 0.3
"""Share of an overlay in a pixel from which the house behind it does not count as seen."""


@dataclass(frozen=True)
class Overlays:
    """captions, logo: whether there are any; what they say is drawn by the seed."""

    seed: int
    width: int
    height: int
    captions: bool = False
    logo: bool = False

    def laid_over(self, picture: Floats, seconds: float) -> Floats:
        """Return the video's picture (height, width, 3) at a time with what lies over it."""
        alpha, colour = self._layer(seconds)
        return picture if alpha is None else picture * (1 - alpha[..., None]) + colour * alpha[..., None]

    def covers(self, seconds: float) -> NDArray[np.bool_]:
        """Tell which pixels (height, width) show an overlay instead of the film."""
        alpha, _ = self._layer(seconds)
        return np.zeros((self.height, self.width), np.bool_) if alpha is None else np.asarray(alpha > COVERED)

    def _layer(self, seconds: float) -> tuple[Floats | None, Floats]:
        """Return share (height, width) and colour (height, width, 3) of all overlays; None where there are none."""
        text = self._caption(seconds)
        if not self.logo and not text:
            return None, np.empty(0, np.float32)
        alpha = np.zeros((self.height, self.width), np.float32)
        colour = np.zeros((self.height, self.width, 3), np.float32)
        if self.logo:
            self._draw_logo(alpha, colour)
        if text:
            self._draw_caption(alpha, colour, text)
        return alpha, colour

    def _caption(self, seconds: float) -> str:
        """Return what the caption says at a time, empty where there is none."""
        turn = int(seconds // PERIOD_S)
        draw = generator(self.seed, "caption", turn)
        start, shown = draw.uniform(0, 1), draw.uniform(*SHOWN_S)
        on_screen = start <= seconds - turn * PERIOD_S < start + shown
        return str(draw.choice(CAPTIONS)) if self.captions and on_screen else ""

    def _draw_caption(self, alpha: Floats, colour: Floats, text: str) -> None:
        style = generator(self.seed, "caption style")
        on_plate, low = bool(style.random() < 0.6), float(style.uniform(0.78, 0.92))
        width, rows = _text_size(text, self._scale())
        left, base = (self.width - width) // 2, round(low * self.height)
        if on_plate:
            edge = rows // 2
            cv2.rectangle(alpha, (left - edge, base - rows - edge), (left + width + edge, base + edge), 0.6, -1)
        else:
            _write(alpha, text, (left + 1, base + 2), self._scale(), 0.7)
        ink = np.zeros_like(alpha)
        _write(ink, text, (left, base), self._scale(), 1.0)
        np.maximum(alpha, ink, out=alpha)
        np.maximum(colour, 250 * ink[..., None], out=colour)

    def _draw_logo(self, alpha: Floats, colour: Floats) -> None:
        draw = generator(self.seed, "logo")
        text, strength, tint = str(draw.choice(LOGOS)), float(draw.uniform(0.5, 0.95)), draw.uniform(120, 255, 3)
        width, rows = _text_size(text, self._scale())
        left = 12 if draw.random() < 0.5 else self.width - width - 12
        base = rows + 14 if draw.random() < 0.7 else self.height - 14
        ink = np.zeros_like(alpha)
        _write(ink, text, (left, base), self._scale(), strength)
        cv2.rectangle(ink, (left - 6, base - rows - 6), (left + width + 6, base + 6), strength, 2)
        np.maximum(alpha, ink, out=alpha)
        colour += (ink > 0)[..., None] * tint.astype(np.float32)

    def _scale(self) -> float:
        """Return the size of letters; all captions fit into the narrowest video."""
        return min(self.width, self.height) / 600


def _text_size(text: str, scale: float) -> tuple[int, int]:
    (width, rows), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 1)
    return int(width), int(rows)


def _write(layer: Floats, text: str, at: tuple[int, int], scale: float, value: float) -> None:
    """Write text, smooth at its edges, which OpenCV does on bytes alone."""
    ink = np.zeros(layer.shape, np.uint8)
    cv2.putText(ink, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, 255, 1, cv2.LINE_AA)
    np.maximum(layer, ink.astype(np.float32) * np.float32(value / 255), out=layer)
