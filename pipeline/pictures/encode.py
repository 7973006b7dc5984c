"""Pictures as JPEG of at most so many bytes."""

import io

from PIL import Image

QUALITIES = (92, 85, 75, 65, 55, 45, 35)
SMALLER = 0.8
"""Factor on width and height when even the lowest quality is too large."""


def jpeg(image: Image.Image, max_bytes: int) -> bytes:
    """Encode a picture in the best quality that fits into ``max_bytes``, shrinking it only where none does.

    Raises:
        ValueError: not even one pixel fits.
    """
    picture = image.convert("RGB")
    while True:
        for quality in QUALITIES:
            encoded = _encode(picture, quality)
            if len(encoded) <= max_bytes:
                return encoded
        if picture.size == (1, 1):
            message = f"no JPEG fits into {max_bytes} bytes"
            raise ValueError(message)
        width, height = (max(1, int(side * SMALLER)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)


def _encode(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()
