"""What a format is to the writer of exports."""

from pathlib import Path
from typing import Protocol

import pyarrow as pa

from pipeline.store.frames import FrameReader
from training.exports.chosen import ExportPiece


class ExportFormat(Protocol):
    """A format: its pieces, and how one is written."""

    def pieces(self, rows: pa.Table) -> list[ExportPiece]:
        """Return what is to be written, the same for the same rows."""
        ...

    def write(self, piece: ExportPiece, reader: FrameReader, draft: Path) -> None:
        """Write a piece to ``draft``, a file or a folder that is not there yet."""
        ...

    def texts(self, rows: pa.Table) -> dict[str, str]:
        """Return files of text by name, which are written once all pieces are there."""
        ...


def layout_named(name: str) -> ExportFormat:
    """Return a format by its name; ``KeyError`` where there is none."""
    from training.exports.colmap import Colmap
    from training.exports.hugging_face import HuggingFace
    from training.exports.nerfstudio import Nerfstudio
    from training.exports.occscannet import OccScanNet
    from training.exports.ply import Ply
    from training.exports.web_dataset import WebShards

    layouts: dict[str, ExportFormat] = {
        "colmap": Colmap(),
        "nerfstudio": Nerfstudio(),
        "ply": Ply(),
        "hf": HuggingFace(),
        "webdataset": WebShards(),
        "occscannet": OccScanNet(),
    }
    return layouts[name]
