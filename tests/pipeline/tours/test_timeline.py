import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tours.settings import TourSettings
from pipeline.tours.timeline import Timeline, cut_together

KINDS = st.lists(st.sampled_from(["indoor", "outdoor", "title"]), min_size=1, max_size=9)


def timeline_of(seed: int, kinds: list[str]) -> Timeline:
    return cut_together(np.random.default_rng(seed), kinds, TourSettings())


@settings(max_examples=40)
@given(st.integers(0, 999), KINDS)
def test_shots_and_transitions_tile_the_video(seed: int, kinds: list[str]):
    timeline = timeline_of(seed, kinds)
    frame = 0
    for i, shot in enumerate(timeline.shots):
        assert shot.start_frame == frame
        frame = shot.end_frame
        if i < len(timeline.transitions):
            change = timeline.transitions[i]
            assert change.start_frame == frame
            frame = change.end_frame
    assert frame == timeline.frame_count


@settings(max_examples=40)
@given(st.integers(0, 999), KINDS)
def test_exactly_the_frames_of_transitions_are_marked_as_such(seed: int, kinds: list[str]):
    timeline = timeline_of(seed, kinds)
    marked = {f for f in range(timeline.frame_count) if timeline.mixture(f).in_transition}
    assert marked == {f for t in timeline.transitions for f in range(t.start_frame, t.end_frame)}


@settings(max_examples=40)
@given(st.integers(0, 999), KINDS)
def test_shares_are_never_more_than_the_whole_and_full_outside_fades(seed: int, kinds: list[str]):
    timeline = timeline_of(seed, kinds)
    fading = {f for t in timeline.transitions if t.kind == "fade" for f in range(t.start_frame, t.end_frame)}
    for frame in range(timeline.frame_count):
        total = sum(weight for _, weight in timeline.mixture(frame).shares)
        assert 0 <= total <= 1 + 1e-9
        assert frame in fading or abs(total - 1) < 1e-9


def test_a_fade_passes_through_black():
    timeline = timeline_of(0, ["indoor"] * 9)
    fade = next(t for t in timeline.transitions if t.kind == "fade")
    darkest = min(sum(w for _, w in timeline.mixture(f).shares) for f in range(fade.start_frame, fade.end_frame))
    assert darkest < 0.2
