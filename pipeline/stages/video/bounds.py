"""Looks at what a file claims before a frame of it is decoded: a small file can ask for any memory and any time."""

from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from pipeline.contract.errors import UnwantedVideo
from pipeline.media import explained, open_container
from pipeline.stages.video.settings import VideoSettings


def check_bounds(path: Path, settings: VideoSettings) -> None:
    """Read the headers and walk the packets of a file; nothing is decoded but what tells its format.

    Raises:
        UnwantedVideo: a side, the frame rate, the length or the number of packets is beyond the settings.
        BrokenVideo: it is no video.
        NotReadableNow, MemoryError: this machine is short of something, or its disk does not answer.
    """
    pixels = {"max_pixels": str(settings.side_max**2)}
    with explained(path), open_container(path, pixels) as container:
        for stream in (found for found in container.streams.video if found.codec_context is not None):
            _check_stream(stream, path, settings)
        _check_packets(container, path, settings)


def _check_stream(stream: VideoStream, path: Path, settings: VideoSettings) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    aspect = float(stream.sample_aspect_ratio or 1)
    side = max(width, height, round(width * aspect))
    if side > settings.side_max:
        raise UnwantedVideo(f"{path.name} has {width} x {height} pixels ({side} a side): more than video.side_max")
    rate = float(stream.average_rate or 0)
    is_moving = not stream.disposition & av.stream.Disposition.attached_pic
    if is_moving and rate > settings.fps_max:
        raise UnwantedVideo(f"{path.name} shows {rate:.4g} frames a second: more than video.fps_max")


def _check_packets(container: InputContainer, path: Path, settings: VideoSettings) -> None:
    begins: dict[int, float] = {}
    # What is handed out last, a packet of nothing for each stream, is of the decoder and not of the file.
    for count, packet in enumerate(container.demux(), start=1 - len(container.streams)):
        if count > settings.packets_max:
            raise UnwantedVideo(f"{path.name} holds more than {settings.packets_max} packets: video.packets_max")
        if packet.pts is None or packet.time_base is None:
            continue
        at = float(packet.pts * packet.time_base)
        if at - begins.setdefault(packet.stream.index, at) > settings.duration_max_s:
            raise UnwantedVideo(f"{path.name} lasts more than {settings.duration_max_s:g} s: video.duration_max_s")
