import pytest

from pipeline.contract.tour_origin import TourOrigin, tour_of_video_id


@pytest.mark.parametrize(
    ("origin", "name", "video_id"),
    [
        ("tour://0042", "tour://42", "tour-42"),
        ("tour://42?world=easy", "tour://42", "tour-42"),
        ("tour://42?world=hard", "tour://42?world=hard", "tour-42-hard"),
    ],
)
def test_a_tour_has_one_name_and_one_id(origin: str, name: str, video_id: str):
    tour = TourOrigin.of(origin)
    assert (tour.name, tour.video_id) == (name, video_id)
    assert TourOrigin.of(tour.name) == tour == tour_of_video_id(video_id)


@pytest.mark.parametrize(
    ("origin", "what"),
    [
        ("tour://5?world=mad", "no world 'mad', only easy and hard"),
        ("tour://5?house=hard", "write tour://SEED or tour://SEED\\?world=easy"),
        ("tour://5?world=hard&world=easy", "write tour://SEED"),
        ("tour://99999999999?world=hard", "is no tour"),
        ("tour://9999999999", "number from 0 to"),
        ("tour://-5", "is no tour"),
    ],
)
def test_other_names_are_refused_with_what_to_write(origin: str, what: str):
    with pytest.raises(ValueError, match=what):
        TourOrigin.of(origin)


@pytest.mark.parametrize("video_id", ["tour", "tour-5-mad", "tour-x", "tour-ab12ab12ab", "a-tour-5"])
def test_other_ids_are_none_of_a_tour(video_id: str):
    assert tour_of_video_id(video_id) is None
