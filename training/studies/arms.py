"""What the study of distillation compares: a record an arm, each of which changes one thing of the reference."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Mix = Literal["tours", "pipeline", "both"]
"""Rendered views with exact depth, frames of the dataset that the pipeline built, or half of each."""

MIXED: dict[Mix, tuple[Mix, ...]] = {"tours": ("tours",), "pipeline": ("pipeline",), "both": ("tours", "pipeline")}


class TeacherChoice(BaseModel):
    """A frozen image network: kind and weights as in ``load_teacher``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = "san"
    weights: str = "san_small"


class Arm(BaseModel):
    """One way to distil."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    loss: Literal["superpixel_infonce", "pixel_cosine"] = "superpixel_infonce"
    teacher: TeacherChoice = TeacherChoice()
    student: str = Field("small", description="preset")
    mix: Mix = "both"

    def changes(self, reference: "Arm") -> str:
        """Return what differs from another arm: the pillar that the comparison is about."""
        fields = [
            name for name in ("loss", "teacher", "student", "mix") if getattr(self, name) != getattr(reference, name)
        ]
        return ", ".join(fields) or "reference"


REFERENCE = Arm(name="reference")

ARMS = (
    REFERENCE,
    Arm(name="per_pixel", loss="pixel_cosine"),
    Arm(name="smaller_teacher", teacher=TeacherChoice(kind="san_stem")),
    Arm(name="smaller_student", student="tiny"),
    Arm(name="larger_student", student="medium"),
    Arm(name="tours_only", mix="tours"),
    Arm(name="pipeline_only", mix="pipeline"),
)
"""Those that need no download; larger teachers are ``{kind: dinov2, weights: dinov2_small}`` and ``dinov2_base``."""
