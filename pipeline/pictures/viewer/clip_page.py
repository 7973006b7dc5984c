"""The page of a clip: the viewer's script and style with a clip's arrays, as one HTML file."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
from PIL import Image

from pipeline.contract.classes import FILLED_LABELS, SemanticClass, palette
from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE
from pipeline.pictures.encode import jpeg
from pipeline.pictures.floor_plan import floor_plan
from pipeline.pictures.layout import below, beside, caption
from pipeline.pictures.viewer.clip_view import ClipView
from pipeline.pictures.viewer.cloud import STEP_M
from pipeline.pictures.viewer.packing import cloud_planes, heat_bytes, packed
from pipeline.pictures.voxels import isometric

PICTURES_BYTES = 1_000_000
"""Of all pictures of a page together, before base64."""

PICTURE_SIZE = (480, 360)
STILL_BYTES = 150_000
SCRIPTS = ("drawing.js", "scene.js", "page.js")
SHOWN_LABELS = (*FILLED_LABELS, SemanticClass.EMPTY, SemanticClass.UNKNOWN)


def clip_page(view: ClipView) -> str:
    """Return the page of a clip; every word from outside is escaped, and the browser may run and load nothing else."""
    script, style = script_text(), _part("page.css")
    pictures = _pictures(view)
    content, blocks = _content(view, pictures), _blocks(view, pictures)
    policy = (
        f"default-src 'none'; script-src '{content_hash(script)}'; style-src '{content_hash(style)}'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    parts = [f'<script type="text/plain" id="{name}">{text}</script>' for name, text in blocks.items()]
    known = {
        "policy": policy,
        "title": escape(view.title),
        "clip": escape(f"{view.video_id} · clip {view.clip_id}"),
        "style": style,
        "facts": "".join(f"<li>{escape(fact)}</li>" for fact in view.facts),
        "still": _still(view),
        "content": json.dumps(content, separators=(",", ":")).replace("<", "\\u003c"),
        "blocks": "\n".join(parts),
        "script": script,
    }
    return filled(_part("page.html"), known)


@cache
def script_text() -> str:
    """Return the viewer's script, all parts in one function, so that nothing of it is global."""
    parts = "\n".join(_part(name) for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}\n}})();\n'


def content_hash(text: str) -> str:
    """Return how a content-security policy names a script or style by its content."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _part(name: str) -> str:
    return files("pipeline.pictures.viewer").joinpath(name).read_text(encoding="utf-8")


def filled(template: str, known: Mapping[str, str]) -> str:
    """Put each text in its place, ``{name}``; what stands in a text is never taken for a place."""
    return re.sub(r"\{([a-z]+)\}", lambda place: known[place[1]], template)


def _content(view: ClipView, pictures: Sequence[bytes]) -> dict[str, Any]:
    """Return what the script has to know, but for the arrays in ``_blocks``."""
    frames = [
        {
            "row": int(view.rows[i]),
            "time": round(float(view.time_s[i]), 2),
            "focal": [round(float(view.intrinsics[i, a, a]), 2) for a in (0, 1)],
            "centre": [round(float(view.intrinsics[i, a, 2]), 2) for a in (0, 1)],
            "camera": _numbers(view.camera_to_world[i]),
            "voxels": _numbers(view.world_from_voxel[i]),
        }
        for i in range(len(view.rows))
    ]
    classes = [{"id": int(label), "name": _name(label), "colour": palette()[label].tolist()} for label in SHOWN_LABELS]
    words = None
    if view.words is not None:
        words = {"text": view.words.text, "bounds": heat_bytes(view.words.voxels)[1]}
    return {
        "frames": frames,
        "classes": classes,
        "shape": GRID_SHAPE,
        "voxel": VOXEL_SIZE,
        "labels": view.labels.shape[1:],
        "cloud": {"corner": view.cloud.corner.tolist(), "step": STEP_M, "points": len(view.cloud.steps)},
        "pictures": [len(picture) for picture in pictures],
        "truth": view.truth is not None,
        "size": round(view.truth_scale, 3),
        "words": words,
    }


def _blocks(view: ClipView, pictures: Sequence[bytes]) -> dict[str, str]:
    blocks = {
        "b-pictures": base64.b64encode(b"".join(pictures)).decode(),
        "b-labels": packed(view.labels),
        "b-grids": packed(view.grids),
        "b-cloud": packed(cloud_planes(view.cloud)),
    }
    if view.truth is not None:
        blocks["b-truth"] = packed(view.truth)
    if view.words is not None:
        blocks["b-words"] = packed(heat_bytes(view.words.voxels)[0])
    return blocks


def _pictures(view: ClipView) -> list[bytes]:
    most = PICTURES_BYTES // len(view.pictures)
    return [
        jpeg(Image.fromarray(picture).resize(PICTURE_SIZE, Image.Resampling.LANCZOS), most) for picture in view.pictures
    ]


def _still(view: ClipView) -> str:
    """Return a picture of the middle frame's grid, of the truth, and of the path, for browsers without WebGL."""
    middle = len(view.grids) // 2
    drawn = [below(caption("as built", 15), isometric(view.grids[middle], 520))]
    if view.truth is not None:
        drawn.append(below(caption("truth", 15), isometric(view.truth[middle], 520)))
    plan = floor_plan(view.cloud.points().astype(np.float32), view.cloud.colours, view.camera_to_world, 420)
    image = jpeg(below(beside(*drawn), plan), STILL_BYTES)
    return f"data:image/jpeg;base64,{base64.b64encode(image).decode()}"


def _numbers(matrix: np.ndarray[Any, np.dtype[Any]]) -> list[float]:
    """Return a matrix (4, 4) by columns, as WebGL takes it."""
    return [round(float(value), 5) for value in matrix.T.ravel()]


def _name(label: SemanticClass) -> str:
    said = {SemanticClass.TVS: "TVs", SemanticClass.UNNAMED: "unnamed", SemanticClass.EMPTY: "seen empty"}
    return said.get(label, label.name.lower())
