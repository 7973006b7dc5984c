"""Where the camera's picture lies in the video's: all of it, between black lines, between blurred sides, or upright."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.tours.effects.settings import PictureFormat

WIDE = 854
"""Columns of 480 rows at 16:9, as YouTube's 480p."""
BLUR_SHARE = 1 / 24
"""Deviation of the blur of sides, share of the video's height."""
SIDE_LIGHT = 0.6


@dataclass(frozen=True)
class Layout:
    """width, height: of the video. left, top: of the camera's picture in it. camera_size: width, height of that."""

    width: int = FRAME_WIDTH
    height: int = FRAME_HEIGHT
    left: int = 0
    top: int = 0
    camera_size: tuple[int, int] = (FRAME_WIDTH, FRAME_HEIGHT)
    around: Literal["black", "blurred"] = "black"

    @classmethod
    def of(cls, format_name: PictureFormat) -> "Layout":
        """Return the layout of a format; all have 480 rows or columns."""
        match format_name:
            case "4:3":
                return cls()
            case "16:9":
                return cls(WIDE, FRAME_HEIGHT, camera_size=(WIDE, FRAME_HEIGHT))
            case "letterbox":
                return cls(WIDE, FRAME_HEIGHT, 0, 58, (WIDE, 364))
            case "side_bars":
                return cls(WIDE, FRAME_HEIGHT, 292, 0, (270, FRAME_HEIGHT), "blurred")
            case "portrait":
                return cls(FRAME_HEIGHT, WIDE, camera_size=(FRAME_HEIGHT, WIDE))

    def placed(self, picture: Floats) -> Floats:
        """Return the video's picture (height, width, 3) with the camera's (h, w, 3) in its place."""
        if self.camera_size == (self.width, self.height):
            return picture
        across, down = self.camera_size
        made = self._sides(picture) if self.around == "blurred" else np.zeros((self.height, self.width, 3), np.float32)
        made[self.top : self.top + down, self.left : self.left + across] = picture
        return made

    def filled(self, card: Floats) -> Floats:
        """Return a card (480, 640, 3) with the video's size: shrunk to fit, its outermost pixels going on."""
        scale = min(self.width / card.shape[1], self.height / card.shape[0])
        size = round(card.shape[1] * scale), round(card.shape[0] * scale)
        fitted = card if scale == 1 else cv2.resize(card, size, interpolation=cv2.INTER_AREA)
        right, below = self.width - size[0], self.height - size[1]
        beyond = ((below // 2, below - below // 2), (right // 2, right - right // 2), (0, 0))
        return np.asarray(np.pad(fitted, beyond, mode="edge"), np.float32)

    def outside(self) -> NDArray[np.bool_]:
        """Tell which pixels (height, width) of the video are none of the camera's."""
        mask = np.ones((self.height, self.width), np.bool_)
        mask[self.top : self.top + self.camera_size[1], self.left : self.left + self.camera_size[0]] = False
        return mask

    def _sides(self, picture: Floats) -> Floats:
        """Return the picture enlarged until it fills the video, blurred and darkened."""
        rows = round(picture.shape[1] * self.height / self.width)
        start = (picture.shape[0] - rows) // 2
        small = cv2.resize(picture[start : start + rows], (self.width // 4, self.height // 4))
        soft = cv2.GaussianBlur(small, (0, 0), self.height / 4 * BLUR_SHARE)
        return np.asarray(SIDE_LIGHT * cv2.resize(soft, (self.width, self.height)), np.float32)
