import pytest
import torch

from models.errors import UnusableInput
from models.gpu import SHARES_VARIABLE, gpu_share, places_of_gpu


@pytest.mark.parametrize(("written", "count"), [("", 10), ("1", 10), ("2.5", 25), ("0.1", 1)])
def test_there_is_one_card_unless_the_environment_says_more(monkeypatch: pytest.MonkeyPatch, written: str, count: int):
    monkeypatch.setenv(SHARES_VARIABLE, written)
    assert places_of_gpu().count == count


@pytest.mark.parametrize("written", ["all", "0", "-1", "inf", "nan"])
def test_what_is_no_number_of_shares_is_refused(monkeypatch: pytest.MonkeyPatch, written: str):
    monkeypatch.setenv(SHARES_VARIABLE, written)
    with pytest.raises(UnusableInput, match=SHARES_VARIABLE):
        places_of_gpu()


def test_all_processes_of_a_user_share_the_card():
    assert places_of_gpu().folder == places_of_gpu().folder
    assert places_of_gpu().folder.is_absolute()


def test_nobody_waits_who_wants_no_share():
    waited: list[str] = []
    with gpu_share(1.0, lambda: None), gpu_share(0.0, lambda: waited.append("it")):
        assert waited == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card to be waited for")
def test_nobody_waits_for_a_card_that_is_not_there():
    waited: list[str] = []
    with gpu_share(1.0, lambda: None), gpu_share(1.0, lambda: waited.append("it")):
        assert waited == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_shares_of_the_card_that_fit_are_held_beside_one_another():
    with gpu_share(0.5, lambda: None), gpu_share(0.5, lambda: pytest.fail("it waited")):
        assert places_of_gpu().folder.exists()
