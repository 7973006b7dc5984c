"""The names under which a video's results are stored; stored data keeps them whatever the code calls its parts."""

SOURCE_VIDEO = "source.mp4"
SOURCE_NOTES = "source.json"
CLIPS = "clips.parquet"
FAILURE = "failure.json"
QUALITY = "quality.json"
RULER = "ruler.json"

SCENE_ZARR = "scene.zarr"
"""The Zarr hierarchy of a video, which holds the groups below."""

FRAMES = "frames"
RECONSTRUCTION = "reconstruction"
SCENE = "scene"
SEMANTICS = "semantics"
OCCUPANCY = "occupancy"
LANGUAGE = "language"

PROBABILITY_RIGHT = "probability_right"
"""Name of an array of ``reconstruction`` and of a column of the index."""

SCALE_SIGMA = "scale_sigma"
"""Name of an array of ``scene`` and of a column of the index."""

WORLD_ID = "world_id"
"""Name of an array of ``scene``, (N,) int32, and of a column of the index: the first clip of a clip's world."""

DISTORTION = "distortion"
"""Name of an array of ``reconstruction``, (N, 5) float64, where pictures were straightened: how the film was bent."""

ROLLING_SHUTTER = "rolling_shutter"
"""Name of an array of ``reconstruction``, (N, 10) float64, where rows were exposed one after another: how what is seen
moved meanwhile (``geometry.picture_motion``), and by how much pictures were enlarged."""

DEPTH_SOURCE = "depth_source"
"""Name of an array of ``reconstruction``, (N, h, w) uint8, where depth comes from more than one source."""

LOG_SCALE, LOG_SCALE_SIGMA = "log_scale", "log_scale_sigma"
"""Names of arrays of ``reconstruction``, (N,) float32, where metric depth says the scale of a clip."""
