"""A teacher that knows nothing: what a student gains from it, it does not owe to what a teacher sees."""

import numpy as np
from numpy.typing import NDArray

from training.teachers.features import FeatureSource


class RandomFeatures:
    """Random values in the shape of a teacher's features, the same ones whenever a frame is asked for."""

    def __init__(self, features: FeatureSource, seed: int) -> None:
        self.group = f"random_{seed}_for_{features.group}"
        self._features, self._seed = features, seed

    def __getitem__(self, index: int) -> NDArray[np.float16]:
        """Return the values (D, h, w) of a frame."""
        rng = np.random.default_rng((self._seed, index))
        return rng.standard_normal(self._features[index].shape).astype(np.float16)
