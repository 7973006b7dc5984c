"""What upstream networks answered, in float32 on a CPU, to name-seeded weights and pictures.

A fixture holds every ``every/<name>``-th value of the flattened tensor ``<name>``, which was first thinned to every
``stride/<name>``-th value along its last axes.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class Reference:
    """The arrays of one fixture."""

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as stored:
            self.arrays: dict[str, NDArray[np.generic]] = {name: stored[name] for name in stored.files}

    def stages(self, case: str) -> list[str]:
        """Names of what is known of a case."""
        return [name for name in self.arrays if name.startswith(f"{case}/") and f"every/{name}" in self.arrays]

    def error(self, name: str, ours: Tensor) -> tuple[float, float]:
        """Return the median and the worst difference, relative to the reference's root mean square.

        Infinite values must be infinite in both.
        """
        expected = self.arrays[name].astype(np.float64)
        found = self._thinned(name, ours.detach().numpy()).astype(np.float64)
        assert found.shape == expected.shape, name
        finite = np.isfinite(expected)
        assert (np.isfinite(found) == finite).all(), name
        difference = np.abs(found[finite] - expected[finite]) / np.sqrt(np.mean(expected[finite] ** 2))
        return float(np.median(difference)), float(difference.max())

    def equal(self, name: str, ours: Tensor) -> bool:
        """Tell whether values that need no tolerance are the same."""
        return bool((self._thinned(name, ours.numpy()) == self.arrays[name]).all())

    def _thinned(self, name: str, values: NDArray[np.generic]) -> NDArray[np.generic]:
        strides = self.arrays.get(f"stride/{name}")
        if strides is not None:
            axes = [slice(None)] * (values.ndim - len(strides)) + [slice(None, None, int(step)) for step in strides]
            values = values[tuple(axes)]
        return values.reshape(-1)[:: int(self.arrays[f"every/{name}"])]
