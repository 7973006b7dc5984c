"""The networks that come with the package."""

import re
from collections.abc import Callable

import pytest
import torch
from safetensors import safe_open
from torch import nn

from models.dust3r import Dust3r
from models.indoor.small import IndoorNet
from models.moge import Moge
from models.san import San
from models.weights.cache import SHIPPED, locate, shipped
from models.weights.contents import checksum
from tests.models.weights import frozen_names
from tests.paths import ROOT

LOADERS: dict[str, Callable[[str], nn.Module]] = {
    "indoor_small": IndoorNet.load,
    "san_small": San.load,
    "dust3r_small": Dust3r.load,
    "moge_small": Moge.load,
    "moge_small_wide": Moge.load,
}


def test_there_is_a_loader_for_each_and_together_they_are_small():
    assert set(shipped()) == set(LOADERS)
    assert sum(locate(name).stat().st_size for name in shipped()) < 60e6


def test_a_name_stands_for_what_it_always_stood_for_as_fingerprints_hold_names_alone():
    now = {name: checksum(locate(name)) for name in shipped()}
    changed = sorted(name for name in {*now, *frozen_names.SHIPPED} if now.get(name) != frozen_names.SHIPPED.get(name))
    assert changed == [], f"{', '.join(changed)}: {frozen_names.HOW} (of a new name: add it to the table)"


@pytest.mark.parametrize("name", LOADERS)
def test_weights_load_by_name_in_evaluation_mode(name: str):
    network = LOADERS[name](name)
    assert not network.training
    assert all(value.isfinite().all() for value in network.state_dict().values())


@pytest.mark.parametrize("name", LOADERS)
def test_weights_are_halves_with_a_card_that_names_files_of_the_repository(name: str):
    with safe_open(locate(name), "pt") as opened:
        assert {opened.get_tensor(key).dtype for key in opened.keys()} == {torch.float16}  # noqa: SIM118
    card = (SHIPPED / f"{name}.md").read_text()
    assert all(heading in card for heading in ("## Data", "## Recipe", "## Figures", "## Not for"))
    named = re.findall(r"[a-z0-9_/]+\.(?:py|yaml)", card)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
