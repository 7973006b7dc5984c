from pathlib import Path

from pipeline.dataset.card import CARD
from pipeline.dataset.index import build_dataset
from pipeline.settings import DatasetSettings
from pipeline.store.store import Store
from tests.earlier import unpack_earlier_dataset


def test_the_card_names_the_weights_that_made_the_dataset_with_their_licences(tmp_path: Path):
    store = Store(unpack_earlier_dataset(tmp_path))
    store.remove("dataset", "summary.json")
    summary = build_dataset(store, DatasetSettings())
    card = store.read_bytes(*CARD).decode()
    assert card.startswith(f"# Dataset {summary.version}\n")
    assert f"{summary.frames} frames" in card
    (san,) = [line for line in card.splitlines() if line.startswith("| semantics |")]
    assert "`san_small.safetensors`" in san
    assert san.endswith("| Apache-2.0 |")
