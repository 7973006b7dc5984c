"""Profiles: which backend each stage has, and which weights. ``pipeline.settings`` lays settings over one of them."""

from typing import Any

EVIDENCE = {"scene": {"scale": "evidence"}}
"""Scale from all that the clips of a video show: at half the error of the paper's rule, which ``youtube_occ`` keeps."""

RAYS = {"occupancy": {"occupied_by": "rays"}}
"""Voxels are occupied in which a share of the rays that lead to them ends: nearer the truth than the paper's points."""

_OPEN = {"indoor_clips": {"backend": "places365"}, "semantics": {"backend": "san"}, **EVIDENCE, **RAYS}

_SEEN_SMALL = {
    "weights": "moge_small_wide",
    "focal_prior": False,
    "fusion": {"max_held_out": 0.15, "max_far_off": 0.4, "max_beyond": 0.12, "max_around": 0.2, "planes": 0.15},
}
"""Cameras are those of ``colmap``, whose focal length is nearer than the network's. What is filled follows what is
measured around it, which mends more than half of what the network is off by: so more of it is taken. Walls go on as the
planes that they are. The network errs a fifth less on tours than the one before it, so that rooms it does not know are
told by a fifth less of error, too (``max_beyond``)."""

PROFILES: dict[str, dict[str, Any]] = {
    "classic": {
        "indoor_clips": {"backend": "imagenet"},
        "reconstruction": {"backend": "colmap"},
        "semantics": {"backend": "structure"},
        **EVIDENCE,
        **RAYS,
    },
    "small": {
        "indoor_clips": {"backend": "imagenet"},
        "reconstruction": {"backend": "colmap_moge", "colmap_moge": _SEEN_SMALL},
        "semantics": {"backend": "san", "san": {"weights": "san_small", "short_side": 96}},
        **EVIDENCE,
        **RAYS,
    },
    "youtube_occ": {
        "indoor_clips": {"backend": "places365"},
        "reconstruction": {"backend": "dust3r"},
        "semantics": {"backend": "san"},
    },
    "open": {
        **_OPEN,
        "reconstruction": {
            "backend": "colmap_moge",
            "colmap_moge": {"weights": "moge_2_vitb", "da3_weights": "da3_base"},
        },
    },
    "open_cpu": {
        **_OPEN,
        "reconstruction": {
            "backend": "colmap_moge",
            "colmap_moge": {"weights": "moge_2_vits", "da3_weights": "da3_small"},
        },
    },
}
"""What each profile sets: ``classic`` and ``small`` have all they need at hand, the others fetch weights; those of the
``open`` ones forbid no commercial use."""

FORMER: dict[str, dict[str, Any]] = {
    "small": {**PROFILES["small"], "indoor_clips": {"backend": "small"}, "reconstruction": {"backend": "colmap"}}
}
"""Profiles as earlier releases had them, by which their datasets are known."""
