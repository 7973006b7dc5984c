import pytest
import torch

from models.device import device_of, has_bfloat16, in_bfloat16
from models.errors import NoSuchDevice


def test_a_device_is_taken_by_its_name():
    assert device_of("cpu") == torch.device("cpu")
    assert device_of("meta").type == "meta"


def test_without_a_name_it_is_what_the_machine_has():
    device = device_of(None)
    assert device.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert torch.ones(2, device=device).sum() == 2


@pytest.mark.parametrize("name", ["warp-drive", "cuda:4711", "", "cpu:-2", "cpu cuda"])
def test_a_device_that_is_not_there_is_refused_by_name_with_what_to_do(name: str):
    with pytest.raises(NoSuchDevice, match=rf"device {name!r} cannot be used here \(.+\); leave it out"):
        device_of(name)


def test_bfloat16_is_chosen_by_itself_on_cards_alone_and_never_where_there_is_none():
    cpu, meta = torch.device("cpu"), torch.device("meta")
    assert not in_bfloat16("auto", cpu), "slower there"
    assert in_bfloat16("bfloat16", cpu)
    assert not in_bfloat16("float32", meta)
    assert not in_bfloat16("auto", meta)
    with pytest.raises(NoSuchDevice, match="float32"):
        in_bfloat16("bfloat16", meta)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_card_has_bfloat16_from_its_generation_on():
    card = torch.device("cuda")
    assert has_bfloat16(card) is in_bfloat16("auto", card) is (torch.cuda.get_device_capability() >= (8, 0))
