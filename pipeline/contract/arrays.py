"""Types of the arrays that are handed about; their shapes stand where they are used."""

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
GrayImages = NDArray[np.uint8]
Floats = NDArray[np.float32]
Float64s = NDArray[np.float64]
Int64s = NDArray[np.int64]
