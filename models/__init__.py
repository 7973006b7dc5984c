"""Networks and their weights. Knows nothing of videos, stores or orchestration.

Each class below has ``load``, which takes a file of weights or one of the names of ``youtube-occ weights list``.

>>> network = Dust3r.load("dust3r_small")        # depth and cameras from pairs of pictures
>>> network = Da3.load("da3_base")               # depth and cameras of all pictures of a place at once
>>> network = Da3Metric.load("da3_metric_large") # metric depth of one picture, given its focal length
>>> network = Moge.load("moge_2_vits")           # metric points, normals and field of view of one picture
>>> network = Moge.load("moge_small_wide")       # the same, of rendered rooms
>>> network = San.load("san_small")              # regions and what they are, by words
>>> network = IndoorNet.load("indoor_small")     # indoor or not
>>> network = ClosedSetSegmenter.load(folder)    # any segmenter that transformers saved
"""

from typing import TYPE_CHECKING

from models.lazy import lazy

if TYPE_CHECKING:
    from models.closed_set import ClosedSetSegmenter
    from models.da3.metric import Da3Metric
    from models.da3.network import Da3
    from models.dust3r.network import Dust3r
    from models.indoor.places365 import Places365
    from models.indoor.small import IndoorNet
    from models.moge.network import Moge
    from models.san.network import San
    from models.symphonies.network import Symphonies

__all__ = ["ClosedSetSegmenter", "Da3", "Da3Metric", "Dust3r", "IndoorNet", "Moge", "Places365", "San", "Symphonies"]

__getattr__ = lazy(
    __name__,
    {
        "ClosedSetSegmenter": "models.closed_set",
        "Da3": "models.da3.network",
        "Da3Metric": "models.da3.metric",
        "Dust3r": "models.dust3r.network",
        "IndoorNet": "models.indoor.small",
        "Moge": "models.moge.network",
        "Places365": "models.indoor.places365",
        "San": "models.san.network",
        "Symphonies": "models.symphonies.network",
    },
)
