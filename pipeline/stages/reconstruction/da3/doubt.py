"""Signs that cameras and depth of a network may be wrong, none of which comes from the network.

They are those of ``colmap`` that need neither its points nor its lens. No probability is made of them: what is known of
that was learned of cameras that matching has found (decision 0107).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, Reconstruction
from pipeline.geometry.poses import resize_nearest
from pipeline.stages.reconstruction.colmap.evidence import Signs, match_signs, path_signs
from pipeline.stages.reconstruction.colmap.pairs import MatchedPair
from pipeline.stages.reconstruction.colmap.probability import trust_table
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.surfaces import dense_signs
from pipeline.stages.reconstruction.colmap.views import ClipViews

HEIGHT, WIDTH = 120, 160
"""Of the depth maps that are compared."""

OF_DEPTH = ("through", "floors")
"""Signs of depth that a network's tells, too: it has depth everywhere, and walls at right angles out of habit."""


def signs_of_network(found: Reconstruction, matches: Sequence[MatchedPair]) -> Signs:
    """Return the signs of two registered cameras or more and their depth; nan where a clip does not tell.

    matches: verified pairs of frames of the 640x480 pictures; none where none were looked for.
    """
    frames = np.flatnonzero(found.registered)
    model = replace(
        SparseModel.empty(len(found.registered), float("nan")),
        intrinsics=found.intrinsics[frames[0]].astype(np.float64),
        camera_to_world=found.camera_to_world.astype(np.float64),
        registered=found.registered,
    )
    scale = np.diag([WIDTH / FRAME_WIDTH, HEIGHT / FRAME_HEIGHT, 1.0])
    views = ClipViews(
        grey=np.zeros((len(frames), 0, 0), np.float32),  # cameras and depth alone are compared
        intrinsics=np.tile(scale @ model.intrinsics, (len(frames), 1, 1)),
        camera_to_world=model.camera_to_world[frames],
        sources=((),) * len(frames),
        depth_range=np.zeros((len(frames), 2)),
    )
    of_depth = dense_signs(views, resize_nearest(found.depth[frames], (HEIGHT, WIDTH)))
    return {**path_signs(model), **match_signs(model, matches), **{name: of_depth[name] for name in OF_DEPTH}}


def doubt_note(signs: Signs) -> str:
    """Say in a sentence what speaks against a clip, the worst first."""
    return f"Signs that it may be wrong, which are not the network's: {'; '.join(trust_table().told(signs))}."
