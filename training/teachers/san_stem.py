"""Teacher ``san_stem``: the convolutions of a small Side Adapter Network alone."""

from pathlib import Path

from torch import Tensor

from models.errors import WrongWeights
from training.teachers.san import SanTeacher, without_padding


class SanStemTeacher(SanTeacher):
    """The convolutions of a small Side Adapter Network alone: the map that its tower reads, a smaller teacher."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if not self.is_small:
            message = (
                f"{path.name} is a released SAN, which has no stem of convolutions: name a small one, or teacher san"
            )
            raise WrongWeights(message)
        self.name = "small_san_stem"

    def small_map(self, rgb: Tensor) -> Tensor:
        """Return the map (B, D, h, w) of the network's stem for pictures (B, 3, H, W) uint8."""
        padded = self.small_pictures(rgb)
        return without_padding(self.network.stem(padded.pixels)[-1], padded)
