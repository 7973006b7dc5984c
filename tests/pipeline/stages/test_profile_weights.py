"""The paper's profile and the open one on a real tour, end to end, with small weights in a folder of the test's own."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from models.da3.name_seeded import TINY
from models.indoor.places365 import Places365, scene_categories
from pipeline.contract.errors import NoIndoorClip, NothingReconstructed
from pipeline.contract.records import DepthSource
from pipeline.settings import Settings, load_settings
from pipeline.stages.base import Workbench
from pipeline.stages.chain import made_by
from pipeline.stages.indoor_clips.rows import indoor_scores
from pipeline.stages.page import picture_of
from pipeline.stages.registry import stages
from pipeline.stages.run import process_video, run_stage
from tests.models.da3.networks import tiny
from tests.models.moge.networks import tiny_moge
from tests.models.tiny_dust3r import LINEAR, build
from tests.pipeline.module_calls import built_modules, counted_calls
from tests.pipeline.small_tour import SMALL, small_workbench
from tests.pipeline.stages.reconstruction.colmap_moge.weights import save_moge
from tests.pipeline.stages.reconstruction.da3.weights import save_da3
from tests.pipeline.stages.semantics.tiny_san import tiny_settings, write_checkpoint

LIKELY = {"kitchen": 9.0, "dining_room": 8.0, "pantry": 7.0, "bedroom": 6.0, "mountain": 5.0}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Places365 that sees kitchens everywhere, geometry that was never trained, and a small SAN."""
    folder = tmp_path_factory.mktemp("weights")
    places = Places365(18)
    names = [category.name for category in scene_categories()]
    with torch.no_grad():
        places.fc.weight.zero_()
        places.fc.bias.zero_()
        for name, logit in LIKELY.items():
            places.fc.bias[names.index(name)] = logit
    torch.save({"state_dict": places.state_dict()}, folder / "resnet18_places365.pth.tar")
    dust3r = {key: tensor.contiguous() for key, tensor in build(LINEAR).state_dict().items()}
    save_file(dust3r, folder / "dust3r.safetensors")
    save_moge(folder / "model.pt", tiny_moge())
    (folder / "da3").mkdir()
    save_da3(folder / "da3", tiny(), TINY.layers, TINY.camera_heads)
    write_checkpoint(folder / "san.pth")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("YOUTUBE_OCC_WEIGHTS", str(folder))
        yield folder


def paper(weights: Path, **stages: Any) -> Settings:
    """The profile with the small weights, each named by its file."""
    dust3r = {"weights": str(weights / "dust3r.safetensors"), "image_size": 224, "window": 1, "strides": []}
    small = {
        "indoor_clips": {"places365": {"weights": str(weights / "resnet18_places365.pth.tar")}},
        "reconstruction": {"dust3r": {**dust3r, "alignment": {"pixels_per_image": 128, "max_iterations": 2}}},
        "semantics": {"san": tiny_settings(weights / "san.pth")},
    }
    return load_settings("youtube_occ", None, {**SMALL, **small, **stages})


def opened(weights: Path) -> Settings:
    """The open profile with the small weights."""
    quick = {
        "sparse": {"max_features": 1200},
        "sweep": {"width": 160, "max_planes": 64},
        "lens": {"correct": False},
        "threads": 1,
    }
    sight = {"weights": str(weights / "model.pt"), "da3_weights": str(weights / "da3"), "colmap": quick}
    small = {
        "indoor_clips": {"places365": {"weights": str(weights / "resnet18_places365.pth.tar")}},
        "reconstruction": {"colmap_moge": sight},
        "semantics": {"san": tiny_settings(weights / "san.pth")},
    }
    return load_settings("open", None, {**SMALL, **small})


def test_clips_keep_their_kinds_of_room_and_another_threshold_asks_no_network(copied_tour: Workbench, weights: Path):
    workbench = replace(copied_tour, settings=paper(weights))
    with counted_calls(Places365) as calls:
        made = run_stage("indoor_clips", workbench).provenance
    assert (made.backend, list(made.weights)) == ("places365", ["resnet18_places365.pth.tar"])
    assert len(calls) == 2
    for row in workbench.video.read_table("clips.parquet").to_pylist():
        assert [category["name"] for category in row["scene_categories"]] == list(LIKELY)
        # Mass on indoor categories: all but the mountain's e^5 and the 205 - 1 outdoor ones of logit 0.
        assert row["indoor_score"] == pytest.approx(0.96, abs=0.02)
    assert "kitchen 0.6" in made.notes[0]
    assert picture_of(workbench.video, "indoor_clips", 14_500)
    strict = {"places365": {"weights": str(weights / "resnet18_places365.pth.tar")}, "threshold": 0.99}
    with counted_calls(Places365) as calls, pytest.raises(NoIndoorClip, match=r"best score 0\.9"):
        run_stage("indoor_clips", replace(workbench, settings=paper(weights, indoor_clips=strict)))
    assert calls == []
    assert len(indoor_scores(workbench.video)) == 2


def test_indoor_clips_go_to_dust3r_which_untrained_is_not_believed(copied_tour: Workbench, weights: Path):
    with pytest.raises(NothingReconstructed, match="InconsistentReconstruction"):
        list(process_video(replace(copied_tour, settings=paper(weights))))
    made = made_by(copied_tour.video, "indoor_clips")
    assert made is not None
    assert made.backend == "places365"


def test_the_profile_labels_a_reconstructed_tour_with_san(copied_tour: Workbench, weights: Path):
    cameras = {"indoor_clips": {"backend": "imagenet"}, "reconstruction": {"backend": "colmap"}}
    workbench = replace(copied_tour, settings=paper(weights, **cameras))
    video, reports = workbench.video, list(process_video(workbench))
    assert [r.provenance.stage for r in reports if not r.reused] == ["scene", "semantics", "occupancy"]
    made = made_by(video, "semantics")
    assert made is not None
    assert (made.backend, list(made.weights)) == ("san", ["san.pth"])
    embeddings, offsets = (video.read("semantics", f"region_{name}") for name in ("embeddings", "offset"))
    assert offsets[-1] + video.read("semantics", "regions")[-1].max() == len(embeddings)
    labels = video.read("occupancy", "labels")
    assert ((labels > 0) & (labels < 255)).any()
    assert picture_of(video, "semantics", 14_500)


def test_a_tour_becomes_grids_by_the_open_profile(copied_tour: Workbench, weights: Path):
    """Its geometry knows nothing here: matching leads, and no depth of the network's is taken."""
    workbench = replace(copied_tour, settings=opened(weights))
    reports = list(process_video(workbench))
    assert [report.provenance.stage for report in reports] == list(stages())
    video = workbench.video
    made = {name: made_by(video, name) for name in ("indoor_clips", "reconstruction", "semantics")}
    backends = {name: (one.backend, sorted(one.weights)) for name, one in made.items() if one}
    assert backends == {
        "indoor_clips": ("places365", ["resnet18_places365.pth.tar"]),
        "reconstruction": ("colmap_moge", ["model.pt", "model.safetensors"]),
        "semantics": ("san", ["san.pth"]),
    }
    depth, source = (video.read("reconstruction", name) for name in ("depth", "depth_source"))
    assert (source[depth > 0] == DepthSource.MATCHED).mean() > 0.8
    assert not (source == DepthSource.NETWORK).any()
    labels = video.read("occupancy", "labels")
    assert ((labels > 0) & (labels < 255)).any()


@pytest.mark.parametrize("profile", ["classic", "small", "youtube_occ"])
def test_a_second_video_of_a_process_loads_no_network(
    built_tour: Workbench, weights: Path, tmp_path: Path, profile: str
):
    others = {**SMALL, "indoor_clips": {"imagenet": {"frames": 4}}}  # else what the tour was built with is kept
    settings = paper(weights) if profile == "youtube_occ" else load_settings(profile, None, others)
    with_networks = ["indoor_clips"] if profile == "classic" else ["semantics", "indoor_clips"]
    loaded = []
    for number in range(2):
        shutil.copytree(built_tour.video.files.root, tmp_path / str(number))
        workbench = replace(small_workbench(tmp_path / str(number)), settings=settings)
        with built_modules() as built:
            assert not any(run_stage(name, workbench).reused for name in with_networks)
        loaded.append(len(built))
    assert loaded[1] == 0
