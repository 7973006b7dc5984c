from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.contract.errors import SettingsError
from pipeline.stages.semantics.backends import CLOSED_SET, SAN, SAN_FEATURES, SETTINGS, STRUCTURE, san_of, segmenter
from pipeline.stages.semantics.san import SanSegmenter
from pipeline.stages.semantics.structure import StructureSegmenter
from pipeline.store.video import VIDEO_ID


def test_geometry_alone_is_the_default():
    assert segmenter().name == "structure"
    assert dict(segmenter().weights) == {}


@pytest.mark.parametrize(
    ("backend", "settings"), [(STRUCTURE, {}), (SAN, {}), (CLOSED_SET, {"closed_set": {"folder": "nowhere"}})]
)
def test_backends_are_chosen_by_name_and_made_without_asking_for_weights(backend: Any, settings: dict[str, Any]):
    made = segmenter(SETTINGS.model_validate({"backend": backend.name, **settings}))
    assert made.name == backend.name
    assert SETTINGS.backends[backend.name] is backend


def test_a_closed_set_needs_its_folder():
    with pytest.raises(SettingsError, match="backend 'closed_set' needs its settings: folder"):
        segmenter(SETTINGS(backend="closed_set"))


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValidationError):
        SETTINGS.model_validate({"backend": "oracle"})


def test_regions_are_settings_of_the_stage_that_geometry_alone_uses():
    chosen = SETTINGS.model_validate({"regions": {"count": 30}})
    made = segmenter(chosen)
    assert isinstance(made, StructureSegmenter)
    assert made.regions.count == 30
    assert chosen.decisive()["regions"]["count"] == 30
    for name in ("san", "closed_set"):
        other = SETTINGS.model_validate({"backend": name, "regions": {"count": 30}, "closed_set": {"folder": "f"}})
        assert "regions" not in other.decisive(), "networks make regions of their own"


def test_features_are_kept_in_scratch_where_there_is_one(tmp_path: Path):
    kept, nowhere = segmenter(SETTINGS(backend="san"), tmp_path), segmenter(SETTINGS(backend="san"))
    assert isinstance(kept, SanSegmenter)
    assert isinstance(nowhere, SanSegmenter)
    assert kept._folder == tmp_path / SAN_FEATURES
    assert nowhere._folder is None
    assert not VIDEO_ID.fullmatch(SAN_FEATURES), "no video can have the name of that folder"


def test_a_network_with_weights_of_ones_own_is_given_by_their_name():
    made = san_of("san_small")
    assert isinstance(made, SanSegmenter)
    assert made.settings.weights == "san_small"
