"""Settings of global alignment."""

from pydantic import BaseModel, ConfigDict, Field


class AlignmentSettings(BaseModel):
    """How pairwise pointmaps become cameras and depth. Confidence is raw (above 1), as the network gives it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shared_focal: bool = Field(
        default=True,
        description="one focal length per clip, as of one camera, unless its lens zooms; otherwise one per image",
    )
    least_zoom: float = Field(
        1.06,
        gt=1,
        description="longest over shortest focal length, changing steadily, that counts as a zoom of the lens",
    )
    min_pair_confidence: float = Field(
        1.5, ge=1.0, description="a pair whose pictures' lower mean confidence is below this links nothing"
    )
    min_confidence: float = Field(
        1.5, ge=1.0, description="pixels less confident than this, in every pair, get no depth"
    )
    pixels_per_image: int = Field(
        3072, ge=64, description="at most so many pixels of an image, on a regular grid, take part in the alignment"
    )
    max_observations: int = Field(
        1_500_000, ge=10_000, description="at most so many pixels of all pairs take part: bounds memory and time"
    )
    max_iterations: int = Field(30, ge=1, description="Levenberg-Marquardt steps; 5 to 10 are usual")
    tolerance: float = Field(1e-5, gt=0, description="relative decrease of the cost that ends the alignment")
    min_noise: float = Field(
        1e-4,
        gt=0,
        description="least residual, relative to depth, that counts as noise (float16 rounding: 5e-4 of a point)",
    )
    max_residual: float = Field(
        0.2, gt=0, description="median residual, relative to depth, beyond which the pairs contradict each other"
    )
    min_field_of_view: float = Field(
        15.0, gt=0, lt=180, description="degrees across the width; narrower is not trusted"
    )
    max_field_of_view: float = Field(140.0, gt=0, lt=180, description="degrees across the width; wider is not trusted")
    device: str = Field("cpu", description="torch device on which the alignment runs")
