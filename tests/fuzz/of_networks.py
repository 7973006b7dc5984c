"""Targets that hold networks, their states and training data: weights, pickles, caches, rooms of benchmarks."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from models.array_cache import ArrayCache, content_key
from models.dust3r.config import from_expression, from_json
from models.weights.checkpoint import read_metadata, read_state_dict
from pipeline.language.retrieval.benchmark import _read_queries
from tests.fuzz.targets import Target
from training.data.nyu_format import NyuScene, finer, read_bin, write_bin
from training.data.safe_pickle import read_arrays
from training.state import _identity_of

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2, dtype=torch.float16)}
EXPRESSION = b"AsymmetricCroCo3DStereo(pos_embed='RoPE100', img_size=(224, 224), head_type='linear', enc_depth=2)"
QUERIES = (
    b"text,video_id,frame_index,split,kind,label\na red chair,room,1,val,other,chair\na wall,room,2,val,other,wall\n"
)


def targets(folder: Path) -> Iterator[Target]:
    """Yield them."""
    yield from _of_weights(folder)
    content = {"target_1_4": np.zeros((4, 3, 2), np.uint8), "cam_pose": np.eye(4), "name": "room"}
    pickles = tuple(pickle.dumps(content, protocol=protocol) for protocol in (0, 2, 4, 5))
    yield Target("pickle of a benchmark", folder / "room.pkl", pickles, read_arrays, 60)
    cache, key = ArrayCache(folder / "cache"), content_key("a")
    cache.store(key, {"features": np.zeros((3, 4), np.float32)})
    entry = next(path for path in (folder / "cache").rglob("*.npz"))
    yield Target("entry of a cache", entry, (entry.read_bytes(),), lambda _: ArrayCache(folder / "cache").load(key), 40)
    write_bin(folder / "room.bin", NyuScene(np.zeros(3, np.float32), np.eye(4, dtype=np.float32), _labels()))
    yield Target("room of NYUv2", folder / "room.bin", ((folder / "room.bin").read_bytes(),), read_bin, 60)
    retrieval = folder / "retrieval"
    retrieval.mkdir()
    yield Target("queries", retrieval / "queries.csv", (QUERIES,), _read_queries, 40)


def _of_weights(folder: Path) -> Iterator[Target]:
    safe, zipped, old = (folder / name for name in ("a.safetensors", "a.pth", "old.pth"))
    save_file(TENSORS, safe, metadata={"config": "{}"})
    torch.save({"state_dict": TENSORS}, zipped)
    torch.save({"state_dict": TENSORS}, old, _use_new_zipfile_serialization=False)
    for path, share in ((safe, 20), (zipped, 10), (old, 10)):
        yield Target(f"weights, {path.name}", path, (path.read_bytes(),), read_state_dict, share)
    yield Target("metadata of weights", folder / "b.safetensors", (safe.read_bytes(),), read_metadata, 20)
    state = folder / "state.pt"
    torch.save({"identity": {"data": "a"}, "step": 3, "task": TENSORS, "curves": []}, state)
    yield Target("state of a training", state, (state.read_bytes(),), _identity_of, 10)
    config = json.dumps({"enc_depth": 2, "dec_depth": 12, "head_type": "dpt", "img_size": [224, 224]}).encode()
    yield Target(
        "configuration of DUSt3R", folder / "config.json", (config,), lambda path: from_json(path.read_bytes()), 40
    )
    yield Target("expression of DUSt3R", folder / "args.txt", (EXPRESSION,), _expression, 20)


def _expression(path: Path) -> object:
    return from_expression(path.read_bytes().decode(errors="replace"))


def _labels() -> NDArray[np.uint8]:
    """Return fine labels of a room, in long runs as rooms have them."""
    return finer(np.repeat(np.arange(12, dtype=np.uint8), 60 * 60 * 36 // 12).reshape(60, 60, 36))
