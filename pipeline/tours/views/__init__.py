"""Many small views of a house at once, for training: pictures with depth, labels and instances, on any torch device.

The same houses, light and textures as the videos of tours, at any size and without their soft edges. What a pixel sees
is found by Open3D's ray caster on a CPU (``open3d``) or by a rasteriser in plain torch (``torch``), the quicker one on
a GPU; both give the same depth and labels.
"""

from pipeline.tours.views.lit_house import LitHouse, light_house
from pipeline.tours.views.records import Cameras, RenderedViews
from pipeline.tours.views.renderer import ViewRenderer

__all__ = ["Cameras", "LitHouse", "RenderedViews", "ViewRenderer", "light_house"]
