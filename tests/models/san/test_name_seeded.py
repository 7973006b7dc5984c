import numpy as np
import torch

from models.san import San, SmallSan
from models.san.name_seeded import TINY, is_name_seeded, name_seeded_san, photo, tell_apart, weight
from models.san.small import SmallSanConfig
from tests.models.san.networks import planes, slim_san

WORDS = ("wall", "floor", "bed", "television set")


def test_every_weight_follows_from_its_name():
    network = slim_san()
    assert not network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, weight(name, tuple(value.shape)))
        assert torch.equal(value.half().float(), value), "exact in half precision"


def test_a_network_whose_weights_were_trained_is_told_from_one_of_names():
    assert is_name_seeded(slim_san())
    trained = name_seeded_san(slim_san().config)
    with torch.no_grad():
        trained.clip_visual_extractor.conv1.weight[0, 0, 0, 0] += 1e-3
    assert not is_name_seeded(trained)
    assert not is_name_seeded(San(slim_san().config))
    assert not is_name_seeded(SmallSan(SmallSanConfig(words=(("wall",),), queries=2)))


def test_telling_apart_changes_what_is_said_but_not_what_is_seen():
    network, picture = name_seeded_san(TINY), planes("a", 96, 128)[None]
    with torch.inference_mode():
        before = network(picture, network.text(WORDS))
    tell_apart(network, picture, WORDS)
    with torch.inference_mode():
        after = network(picture, San.text(network, ["lamp"]).expand(1, -1))
        words = network.ov_classifier([f"a photo of a {word}." for word in WORDS])
    assert is_name_seeded(network)
    spread = [masks.std(dim=(2, 3)).median() for masks in (before.mask_logits, after.mask_logits)]
    assert spread[1] > 10 * spread[0], "masks are thirty times as sharp"
    regions = [out.region_embeddings[0] @ out.region_embeddings[0].T for out in (before, after)]
    assert regions[1].min() < regions[0].min() - 0.5, "regions were nearly one direction"
    assert (words @ words.T).fill_diagonal_(0).max() < 0.9


def test_a_photo_is_a_function_of_its_name_with_all_grey_levels():
    one = photo("a", 60, 80)
    assert one.shape == (60, 80, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, photo("a", 60, 80))
    assert (one != photo("b", 60, 80)).mean() > 0.9
    assert one.min() < 50
    assert one.max() > 200
