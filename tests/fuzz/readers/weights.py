"""Files of weights, of trainings that go on, and arrays that are kept: formats that may hold code."""

import argparse
import json
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from models.array_cache import ArrayCache, content_key
from models.closed_set import ClosedSetSegmenter
from models.dust3r.config import Dust3rConfig, from_expression
from models.dust3r.network import Dust3r
from models.indoor.small import IndoorNet
from models.san.network import San
from models.symphonies import PRESETS, Symphonies
from models.weights.cache import SHIPPED
from models.weights.checkpoint import read_file, read_metadata, read_state_dict
from pipeline.contract.errors import TooFewRegistered
from pipeline.contract.records import Reconstruction
from pipeline.stages.reconstruction.checkpoints import ClipCheckpoints
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from tests.fuzz.reader import Reader
from training.checkpoints import NetworkDescription, comparable, describe, load_network, save_network
from training.fabric import Fabric
from training.settings import FinetuneSettings
from training.state import STATE, TrainingState

KEY = content_key("fuzz")
EXPRESSION = (
    "AsymmetricCroCo3DStereo(pos_embed='RoPE100', img_size=(224, 224), head_type='linear', output_mode='pts3d', "
    "depth_mode=('exp', -inf, inf), conf_mode=('exp', 1, inf), enc_embed_dim=1024, enc_depth=24, enc_num_heads=16, "
    "dec_embed_dim=768, dec_depth=12, dec_num_heads=12)"
)
"""As upstream's checkpoints hold it."""


def _tensors() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {"a.weight": torch.rand((3, 4), generator=generator), "a.bias": torch.zeros(3), "n": torch.tensor(5)}


def _make_state_dicts(folder: Path) -> None:
    save_file(_tensors(), folder / "a.safetensors", {"config": '{"a": 1}'})
    torch.save(_tensors(), folder / "zip.pth")
    torch.save({"model": _tensors(), "args": argparse.Namespace(model=EXPRESSION)}, folder / "args.pth")
    torch.save(_tensors(), folder / "old.pkl", _use_new_zipfile_serialization=False)


def _read_state_dict(folder: Path, name: str) -> object:
    path = folder / name
    if name.startswith("args"):
        with torch.serialization.safe_globals([argparse.Namespace]):
            expression = getattr(read_file(path).get("args"), "model", None)
        return from_expression(expression) if isinstance(expression, str) else None
    return read_state_dict(path), read_metadata(path) if path.suffix == ".safetensors" else None


def _make_dust3r(folder: Path) -> None:
    sizes = {"enc_embed_dim": 64, "enc_depth": 1, "enc_num_heads": 1, "dec_embed_dim": 64, "dec_depth": 1}
    sizes |= {"dec_num_heads": 1, "head_type": "linear", "img_size": [32, 32]}
    torch.manual_seed(0)
    network = Dust3r(Dust3rConfig.model_validate(sizes))
    state = {key: value.half().clone() for key, value in network.state_dict().items()}
    (folder / "hub").mkdir()
    save_file(state, folder / "inside.safetensors", {"config": json.dumps(sizes)})
    save_file(state, folder / "hub" / "model.safetensors")
    (folder / "hub" / "config.json").write_text(json.dumps(sizes))


def _read_dust3r(folder: Path, name: str) -> object:
    return Dust3r.load(folder / "hub" if name.startswith("hub") else folder / name)


def _make_small(folder: Path) -> None:
    for name in ("indoor_small", "san_small"):
        (folder / f"{name}.safetensors").write_bytes((SHIPPED / f"{name}.safetensors").read_bytes())


def _read_small(folder: Path, name: str) -> object:
    return (San if "san" in name else IndoorNet).load(folder / name)


@cache
def _fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


def _state(fabric: Fabric) -> TrainingState:
    torch.manual_seed(0)
    network = torch.nn.Linear(3, 2)
    task, optimizer = fabric.setup(network, torch.optim.AdamW(network.parameters()))
    return TrainingState(task, optimizer, None, "a training")


def _make_state(folder: Path) -> None:
    fabric = _fabric()
    state = _state(fabric)
    state.task(torch.ones(1, 3)).sum().backward()
    state.optimizer.step()
    state.step = 7
    state.curves.add(1, {"loss": 0.5})
    state.save(folder, fabric)


def _read_state(folder: Path, _name: str) -> object:
    state = _state(_fabric())
    state.resume(folder, _fabric())
    return state.step


def _make_network(folder: Path) -> None:
    settings = FinetuneSettings().model_dump(mode="json")
    described = NetworkDescription(network=PRESETS["tiny"], task="supervised", data="d", settings=settings, steps=3)
    torch.manual_seed(0)
    save_network(folder, Symphonies(described.network), described)


def _read_description(folder: Path, _name: str) -> object:
    found = describe(folder)
    return comparable(found.task, found.settings)


def _make_segmenter(folder: Path) -> None:
    torch.manual_seed(0)
    names = {0: "wall", 1: "floor"}
    config = SegformerConfig(depths=[1] * 4, hidden_sizes=[8] * 4, decoder_hidden_size=8, id2label=names)
    SegformerForSemanticSegmentation(config).save_pretrained(folder)
    beside = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    (folder / "preprocessor_config.json").write_text(json.dumps(beside))


def _read_segmenter(folder: Path, _name: str) -> object:
    segmenter = ClosedSetSegmenter.load(folder)
    return segmenter.names, segmenter.scores(torch.zeros(1, 3, 48, 64), 48, (6, 8))


def _make_arrays(folder: Path) -> None:
    ArrayCache(folder).store(KEY, {"a": np.arange(6.0), "b": np.ones((2, 3), np.uint8)})


def _read_arrays(folder: Path, _name: str) -> object:
    return ArrayCache(folder).load(KEY)


def _make_clips(folder: Path) -> None:
    kept = ClipCheckpoints(folder)
    depth = np.ones((2, 3, 4), np.float32)
    found = Reconstruction(
        np.stack([np.eye(3)] * 2), np.stack([np.eye(4)] * 2), depth, depth, np.ones(2, bool), ("a note",)
    )
    kept.save(0, found)
    kept.save(1, TooFewRegistered("only two"))
    SparseModel.empty(3, 1.5).save(folder / "sparse.npz")


def _read_clip(folder: Path, name: str) -> object:
    if name.startswith("sparse"):
        return SparseModel.load(folder / name)
    return ClipCheckpoints(folder).load(int(Path(name).stem))


READERS = (
    Reader("state_dicts", _make_state_dicts, _read_state_dict, 3),
    Reader("dust3r", _make_dust3r, _read_dust3r, 0.15),
    Reader("small_networks", _make_small, _read_small, 0.08),
    Reader("training_state", _make_state, _read_state, 0.3, (STATE,)),
    Reader("network_notes", _make_network, _read_description, 9, (".json",)),
    Reader("networks", _make_network, lambda folder, _name: load_network(folder), 0.03),
    Reader("segmenter", _make_segmenter, _read_segmenter, 0.02, (".json", ".safetensors")),
    Reader("array_cache", _make_arrays, _read_arrays, 5, (".npz", "CACHEDIR.TAG")),
    Reader("clip_checkpoints", _make_clips, _read_clip, 2, (".npz",)),
)
