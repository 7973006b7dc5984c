"""How fast the camera moves in metres: nobody films a home at a run, but films are played faster than filmed."""

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.contract.errors import TooFast
from pipeline.contract.records import MetricScene


def check_speed(scene: MetricScene, time_s: Float64s, fastest: float) -> None:
    """Refuse a clip whose camera is too fast; of a sped-up film everything but the speed looks right.

    Args:
        scene: n frames in metres.
        time_s: (n,) seconds at which they are shown.
        fastest: metres a second.

    Raises:
        TooFast: the median step between frames that have a camera is faster.
    """
    speed = median_speed(scene, time_s)
    if speed > fastest:
        message = f"the camera moves at {speed:.1f} m/s, {fastest:g} are believed: a film that is played faster?"
        raise TooFast(message)


def median_speed(scene: MetricScene, time_s: Float64s) -> float:
    """Return the median over steps of the camera's speed in metres a second; 0 with fewer than two cameras."""
    placed = np.flatnonzero(scene.registered)
    if len(placed) < 2:
        return 0.0
    steps = np.linalg.norm(np.diff(scene.camera_to_world[placed, :3, 3].astype(np.float64), axis=0), axis=1)
    return float(np.median(steps / np.maximum(np.diff(time_s[placed]), 1e-3)))
