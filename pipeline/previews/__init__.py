from pipeline.store import VideoStore


def preview(video: VideoStore, stage: str, max_bytes: int) -> bytes:
    """Stub."""
    raise NotImplementedError
