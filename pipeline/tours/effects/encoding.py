"""The encoder: H.264 in an mp4, at constant quality or at the rates of the web."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.tours.effects.clock import TICKS, FrameClock

KEYFRAMES_S = 4
"""Seconds between key frames at a web rate, within YouTube's 2 to 5."""
PLAIN_FPS = 30


@dataclass(frozen=True)
class Encoding:
    """bitrate_kbps: for 640x480 at 30 frames a second, in proportion else; 0 for constant quality (crf 18)."""

    width: int
    height: int
    clock: FrameClock
    bitrate_kbps: float = 0.0

    def write(
        self, path: Path, pictures: Iterator[NDArray[np.uint8]], on_frame: Callable[[int, int], None] | None = None
    ) -> None:
        """Encode pictures (height, width, 3) uint8 RGB into ``path``; ``on_frame(done, total)`` follows each."""
        import av

        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=self.clock.fps, options=self._options())
            stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
            if self.clock.variable:
                stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
            for number, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                if self.clock.variable:
                    frame.pts, frame.time_base = self.clock.tick(number), Fraction(1, TICKS)
                container.mux(stream.encode(frame))
                if on_frame is not None:
                    on_frame(number + 1, self.clock.frame_count)
            container.mux(stream.encode(None))

    def _options(self) -> dict[str, str]:
        options = {"preset": "veryfast", "threads": "1"}
        if not self.bitrate_kbps:
            return {"crf": "18", **options}
        pixels = self.width * self.height / (FRAME_WIDTH * FRAME_HEIGHT)
        rate = round(self.bitrate_kbps * pixels * self.clock.fps / PLAIN_FPS)
        limits = {"b": f"{rate}k", "maxrate": f"{3 * rate // 2}k", "bufsize": f"{3 * rate}k"}
        return {**limits, "g": str(KEYFRAMES_S * self.clock.fps), **options}
