import pytest
import torch


@pytest.fixture(autouse=True)
def _seed() -> None:
    """Draw the same random tensors in every order of the tests."""
    torch.manual_seed(0)
