"""Films with several faults of the field at once, drawn by seed, of which every frame's number and time are known."""

import random
import struct
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline.contract.errors import BrokenVideo
from pipeline.media import check_decodes, frames_near, iterate, probe
from pipeline.stages.video.containers import check_whole
from tests.pipeline.media.films import (
    EIGHT,
    RATE,
    stream_of,
    with_broken_packets,
    with_edit_list,
    with_matrix,
    with_preview,
)
from tests.pipeline.videos import number_of, numbered, write_video

SIZES = ((160, 120), (320, 240), (240, 160))
STARTS = (0.0, 0.4, 7.0, 3600.0, 2**33 / 90000 - 1)
"""Seconds at which the time stamps of a stream begin; the last ones wrap."""


@dataclass
class Film:
    """A film and what is true of it: the number shown by each frame, and at which frames another recording begins."""

    path: Path
    numbers: list[int]
    joins: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    size: tuple[int, int] = SIZES[0]


def draw(seed: int, folder: Path) -> Film:
    """Make the film of a seed."""
    rng = random.Random(seed)
    kind = rng.choice((_joined, _joined, _recorded, _shown_in_part, _with_preview, _turned))
    return kind(rng, folder)


def wrong(film: Film) -> str:
    """Return what is read wrong of a film, or nothing; a refusal by name is no wrong."""
    try:
        check_whole(film.path)
        held = probe(film.path)
        check_decodes(film.path)
        frames = list(iterate(film.path, 60))
        near = list(frames_near(film.path, np.array([0.0, 0.5])))
    except BrokenVideo as error:
        return "" if str(error).partition(": ")[2] or "holds" in str(error) or "decode" in str(error) else "no reason"
    numbers, times = [number_of(frame.rgb) for frame in frames], [frame.time_s for frame in frames]
    joins = [frame.index for frame in frames if not frame.follows]
    counted = len(frames) + frames[-1].lost
    found = {
        "frames": numbers == film.numbers,
        "order": [frame.index for frame in frames] == list(range(len(frames))),
        "times": bool(np.allclose(np.diff(times), 1 / RATE, atol=0.002) or frames[-1].lost) and times[0] == 0,
        "joins": joins == film.joins,
        "count": held.frame_count == counted,
        "duration": abs(held.duration_s - counted / RATE) < 0.01 + 1 / RATE * frames[-1].lost,
        "size": (held.width, held.height) == film.size,
        "pictures near": len(near) == 2,
    }
    return ", ".join(name for name, is_right in found.items() if not is_right)


def _joined(rng: random.Random, folder: Path) -> Film:
    """A transport stream of one to three recordings, each with its own size, start and key frames."""
    film, content, first = Film(folder / "film.ts", []), b"", 0
    film.size = rng.choice(SIZES)
    for part in range(rng.randint(1, 3)):
        count, size = rng.randint(6, 24), film.size if part == 0 or rng.random() < 0.6 else rng.choice(SIZES)
        pictures = numbered(first + count, *size)[first:]
        # A recording that ends as the clock wraps and one that begins then are one, as far as anybody can tell.
        begin = rng.choice(STARTS if not part else STARTS[2:-1])
        content += stream_of(folder / f"{part}.ts", pictures, begin, rng.choice((1, 8, 1000)))
        film.joins += [first] if part else []
        film.faults.append(f"{count} frames of {size} from {begin:g} s")
        first += count
    film.path.write_bytes(content)
    film.numbers = list(range(first))
    return film


def _recorded(rng: random.Random, folder: Path) -> Film:
    """A file of one recording: late, with notes behind it, with a broken packet."""
    late, suffix = rng.choice((0, 5, 43200)), rng.choice(("mkv", "mp4", "mov", "avi"))
    ticks = [(late if suffix == "mkv" else 0) + i for i in range(rng.randint(8, 60))]
    film = Film(folder / f"film.{suffix}", list(range(len(ticks))), faults=[f"from {ticks[0] / RATE:g} s"])
    film.size = rng.choice(SIZES)
    broken = suffix in ("mp4", "mov") and rng.random() < 0.5
    codec, pixels = ("png", "rgb24") if broken else ("libx264", "yuv420p")
    write_video(film.path, numbered(len(ticks), *film.size), RATE, codec, pixels, ticks=ticks)
    if broken:
        gone = rng.randrange(1, len(ticks) - 1)
        with_broken_packets(film.path, [gone])
        film.numbers.remove(gone)
        film.faults.append(f"packet {gone} broken")
    if suffix in ("mp4", "mov") and rng.random() < 0.5:
        film.path.write_bytes(
            film.path.read_bytes() + struct.pack("<4I", *(rng.randrange(2**31) for _ in range(4))) * 40
        )
        film.faults.append("a trailer")
    return film


def _shown_in_part(rng: random.Random, folder: Path) -> Film:
    """An MP4 film of which an edit list shows a part."""
    total = rng.randint(24, 60)
    first, count = rng.randint(0, total // 3), rng.randint(8, total // 2)
    size = rng.choice(SIZES)
    path = with_edit_list(folder / "film.mp4", numbered(total, *size), first, count)
    return Film(path, list(range(first, first + count)), faults=[f"{count} of {total} from {first}"], size=size)


def _with_preview(rng: random.Random, folder: Path) -> Film:
    """A film behind a track of previews."""
    count, size = rng.randint(8, 40), rng.choice(SIZES)
    flagged = rng.random() < 0.5
    path = with_preview(
        folder / "film.mkv", numbered(count, *size), numbered(rng.randint(1, 9), 80, 64), flagged=flagged
    )
    return Film(path, list(range(count)), faults=["a preview before it"], size=size)


def _turned(rng: random.Random, folder: Path) -> Film:
    """A film that is stored turned or mirrored, with notes of the camera behind it."""
    count, size, (a, b, c, d) = rng.randint(8, 30), rng.choice(SIZES), rng.choice(EIGHT)
    upright = numbered(count, *size)
    stored = [picture[::b, ::c].swapaxes(0, 1) if b else picture[::d, ::a] for picture in upright]
    path = write_video(folder / "film.mp4", stored, RATE)
    with_matrix(path, a, b, c, d)
    path.write_bytes(path.read_bytes() + b"\x05\x06\x07\x08" * rng.randrange(200))
    return Film(path, list(range(count)), faults=[f"matrix {a} {b} {c} {d}"], size=size)


def main(count: int, first: int = 0) -> int:
    """Read the films of so many seeds and print what is wrong with them; return how many are."""
    found = Counter[str]()
    for seed in range(first, first + count):
        with TemporaryDirectory() as folder:
            film = draw(seed, Path(folder))
            try:
                what = wrong(film)
            except Exception:  # noqa: BLE001 - that is what is looked for
                what = traceback.format_exc(limit=-2)
        found[what or "right"] += 1
        if what:
            sys.stdout.write(f"{seed} {film.path.name} {film.faults}: {what}\n")
    sys.stdout.write(f"{dict(found)}\n")
    return count - found["right"]


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)))
