import pytest
import torch

from models.device import device_of
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
