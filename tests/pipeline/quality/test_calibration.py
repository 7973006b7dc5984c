"""What learns the trust table: spoilt clips keep their truth, fits find what was put in, figures count what passes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.records import WHOLE
from pipeline.contract.records import Box as PictureBox
from pipeline.quality.calibration.collection import HOUSES, planned
from pipeline.quality.calibration.filmed import KnownClip
from pipeline.quality.calibration.fit import auroc, figures, fitted, held_out
from pipeline.quality.calibration.report import (
    figures_table,
    reliability_diagram,
    reliability_table,
    signs_table,
)
from pipeline.quality.calibration.samples import JudgedClip, sample_of, stored
from pipeline.quality.calibration.spoilt import ONCE, SPOILS
from pipeline.quality.calibration.stored import EASY, REAL, KnownFilm, collect_tours, samples_of
from pipeline.quality.truth.rendered import TourFilm
from pipeline.stages.base import Workbench
from pipeline.stages.reconstruction.colmap.probability import MEANING, TrustTable
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.stage import reconstruction
from pipeline.store.store import Store
from pipeline.tours.truth import TrueClip, tour_of
from tests.pipeline.box_room import INTRINSICS, Box, Room, looking

ROOM = Room(Box((0, 0, 0), (4, 3.6, 2.6)))


def known_clip(seed: int, frames: int = 6) -> KnownClip:
    cameras = np.stack([looking((1.2 + 0.1 * i, 0.4, 1.5), (1.9, 3.0, 0.8)) for i in range(frames)])
    rgb = np.random.default_rng(seed).integers(0, 255, (frames, 480, 640, 3)).astype(np.uint8)
    depth = np.stack([ROOM.view(camera, (240, 320))[0] for camera in cameras]).astype(np.float32)
    return KnownClip(rgb, cameras, INTRINSICS.astype(np.float64), depth, np.zeros(frames, np.int64))


@pytest.mark.parametrize("kind", SPOILS)
def test_a_spoilt_clip_is_whole_and_its_truth_goes_with_its_frames(kind: str):
    clip, other = known_clip(0), known_clip(1)
    spoilt = SPOILS[kind](clip, other)
    count = 4 if kind == "few_frames" else 6
    assert spoilt.rgb.shape == (count, 480, 640, 3)
    assert spoilt.rgb.dtype == np.uint8
    assert len(spoilt.camera_to_world) == len(spoilt.depth) == len(spoilt.place) == count
    assert (kind == "as_filmed") == np.array_equal(spoilt.rgb, clip.rgb)
    assert (len(np.unique(spoilt.place)) == 2) == (kind in ("two_houses", "mixed_houses", "mirrored"))
    elsewhere = spoilt.place == 1
    if kind in ("two_houses", "mixed_houses"):
        assert np.array_equal(spoilt.rgb[elsewhere], other.rgb[elsewhere])


def test_a_clip_comes_back_from_its_file(tmp_path: Path):
    clip = known_clip(0)
    clip.save(tmp_path / "a.npz")
    found = KnownClip.load(tmp_path / "a.npz")
    assert np.array_equal(found.rgb, clip.rgb)
    assert np.array_equal(found.depth, clip.depth)


def test_every_house_is_filmed_in_four_ways_and_every_spoil_is_in_several_houses():
    clips = planned()
    assert len(clips) == len(set(clips)) == 4 * len(HOUSES)
    for kind in SPOILS:
        houses = {house for house, name in clips if name == kind}
        assert len(houses) >= (len(HOUSES) if kind in ONCE else 4), kind


def made_up(count: int, seed: int) -> list[JudgedClip]:
    """Samples of which `jump` tells right from wrong most of the time, and `rim` nothing."""
    draw = np.random.default_rng(seed)
    samples = []
    for at in range(count):
        wrong = at % 3 == 0
        signs = dict.fromkeys(MEANING, float("nan")) | {
            "jump": float(np.exp(draw.normal(1.8 if wrong else 0.2, 0.6))),
            "rim": float(draw.uniform(1, 2)),
            "hollow": float(draw.uniform(0.1, 0.4)),
        }
        error = 20.0 if wrong else 1.0
        samples.append(
            JudgedClip(
                group=f"house-{at % 7}", kind="as_filmed", refused="", frames=6, registered=6, places=1,
                rotation=error, rotation_most=error, direction=error, depth=0.01, signs=signs,
            )
        )  # fmt: skip
    return samples


def test_the_fit_finds_the_sign_that_tells_and_is_calibrated_on_samples_it_has_not_seen():
    table = fitted(made_up(210, 0), "made up", {})
    weights = {sign.name: sign.weight for sign in table.signs}
    assert weights["jump"] == max(weights.values()) > 2 * weights["epipolar"]
    assert weights.get("rim", 0) < 1
    fresh = made_up(300, 1)
    found = np.array([table.probability(sample.signs) for sample in fresh])
    right = np.array([sample.right for sample in fresh])
    assert auroc(found, right) > 0.95
    assert found.mean() == pytest.approx(right.mean(), abs=0.05)


def test_a_house_is_judged_by_a_model_that_has_not_seen_it():
    samples, seen = made_up(21, 0), []

    def fit(some: Sequence[JudgedClip]) -> TrustTable:
        seen.append({sample.group for sample in some})
        return fitted(some, "", {})

    probabilities = held_out(samples, fit)
    assert len(probabilities) == 21
    assert sorted(len(groups) for groups in seen) == [6] * 7


def test_figures_count_what_passes_and_what_is_refused():
    samples = made_up(6, 0)
    samples[1] = samples[1].model_copy(update={"refused": "TooLittleParallax"})
    found = figures(samples, np.array([0.9, 0.9, 0.9, 0.1, 0.2, 0.9]), 0.35)
    assert (found.right, found.wrong, found.gross) == (4, 2, 2)
    assert (found.wrong_passed, found.gross_passed, found.right_refused) == (1, 1, 2)
    assert found.passed_before == 2
    judged = {"tours": (samples, np.array([0.9, 0.9, 0.9, 0.1, 0.2, 0.9]))}
    assert "| tours | 4 / 2 (2) |" in figures_table({"tours": found})
    assert "3 of 4" in reliability_table(judged)
    assert reliability_diagram(judged).startswith("<svg")
    assert "| `jump` |" in signs_table(samples)


def test_right_is_what_is_right_in_cameras_and_in_depth():
    sample = made_up(2, 0)[1]
    assert sample.right
    assert not sample.gross
    assert sample.model_copy(update={"depth": float("nan")}).right, "of depth nothing is known"
    for wrong in ({"depth": 0.2}, {"rotation_most": 6.0}, {"direction": 6.0}, {"places": 2}):
        assert not sample.model_copy(update=wrong).right


def test_samples_read_back_also_where_a_sign_is_not_known(tmp_path: Path):
    samples = made_up(3, 0)
    (tmp_path / "s.jsonl").write_text("\n".join(sample.model_dump_json() for sample in samples), encoding="utf-8")
    found = list(stored(tmp_path / "s.jsonl"))
    assert [sample.signs["jump"] for sample in found] == [sample.signs["jump"] for sample in samples]
    assert np.isnan(found[0].signs["floors"])


def test_of_noise_there_is_no_reconstruction_to_learn_from():
    clip = known_clip(0, frames=3)
    assert sample_of(replace(clip, rgb=np.full_like(clip.rgb, 127)), "noise", "as_filmed", ColmapSettings()) is None


def test_a_stored_tour_is_reconstructed_again_and_every_judged_model_is_a_sample(built_tour: Workbench, tmp_path: Path):
    data = Path(built_tour.video.files.root)
    settings = built_tour.settings.of(reconstruction).colmap
    samples = list(collect_tours(data, tmp_path, settings))
    assert samples
    assert {sample.kind for sample in samples} == {EASY}
    assert all(sample.right for sample in samples)
    assert set(samples[0].signs) == set(MEANING)
    (kept,) = (tmp_path / "tours").iterdir()
    kept.write_text(kept.read_text(encoding="utf-8").splitlines()[0], encoding="utf-8")
    assert len(list(collect_tours(data, tmp_path, settings))) == 1, "what is kept is not made again"


@dataclass(frozen=True)
class PartlyKnown(TourFilm):
    """A film of which the truth is known of every other frame, as of sequences whose trackers got lost."""

    def known(self, frame_index: np.ndarray) -> np.ndarray:
        return np.arange(len(frame_index)) % 2 == 0

    def clip(self, frame_index: np.ndarray, box: PictureBox = WHOLE) -> TrueClip:
        self.asked.append(len(frame_index))
        return super().clip(frame_index, box)

    asked: list[int] = field(default_factory=list)


def test_real_footage_is_judged_where_its_truth_is_known(built_tour: Workbench):
    video, tour = built_tour.video, tour_of(built_tour.video)
    assert tour is not None
    film = PartlyKnown("film", tour)
    settings = built_tour.settings.of(reconstruction).colmap
    samples = samples_of(Store(built_tour.video.files.root), KnownFilm(video, film, "film", REAL), settings)
    assert all(sample.right and sample.kind == REAL for sample in samples)
    assert film.asked == [(sample.registered + 1) // 2 for sample in samples]
