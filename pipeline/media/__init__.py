"""Reading video files: what a file holds, and its frames by number.

Frames are numbered from 0 in the order in which they are shown. They are found by decoding from the start,
never by seeking, so that frame ``i`` is the same picture for every reader. Pictures come upright and unmirrored
(display matrix applied), with square pixels, deinterlaced and in BT.709; times rise from 0.
"""

from pipeline.media.container import explained, open_container
from pipeline.media.frames import DecodedFrame, frames_at, frames_near, iterate, read_each, read_frames
from pipeline.media.pictures import cut_of, unpadded
from pipeline.media.probe import Probe, check_decodes, probe

__all__ = [
    "DecodedFrame",
    "Probe",
    "check_decodes",
    "cut_of",
    "explained",
    "frames_at",
    "frames_near",
    "iterate",
    "open_container",
    "probe",
    "read_each",
    "read_frames",
    "unpadded",
]
