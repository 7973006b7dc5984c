"""What a stage would note about its result, for tests that need a note and care for little of what it says."""

from typing import Any

from pipeline.store.provenance import Provenance


def provenance(stage: str, **known: Any) -> Provenance:
    """Fill in what is not ``known``: no settings, weights or counts, and a fingerprint of 0."""
    unknown = {
        "backend": "analytic",
        "code_version": "1",
        "settings": {},
        "weights": {},
        "fingerprint": "0",
        "seconds": 0.0,
        "counts": {},
    }
    return Provenance.model_validate({"stage": stage, **unknown, **known})


def noted(stage: str, **known: Any) -> dict[str, Any]:
    """The same as it is stored."""
    return provenance(stage, **known).model_dump(mode="json")
