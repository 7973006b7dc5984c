"""What yt-dlp says beside its answers: warnings are kept for the text of an error, the rest is dropped."""

import logging
import re

from pipeline.sources.web.explain import SECRETS, one_line

LONGEST = 12
"""Warnings that are kept, the first ones: what follows is mostly their consequence."""

TELLING = ("po token", "sabr", "javascript", "challenge")
"""What is kept of that which yt-dlp says to developers alone, though it is why films are missing."""

_log = logging.getLogger(__name__)
_TOKEN = re.compile(r'got "[^"]*"')
"""How yt-dlp quotes a token of the settings that it cannot read."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Warned:
    """A logger for yt-dlp: keeps it off the screen, but for what it waits for."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def warning(self, message: object) -> None:
        """Keep a warning, each once."""
        text = one_line(_TOKEN.sub('got "[left out]"', SECRETS.sub("[left out]", _COLOURS.sub("", str(message)))))
        if text not in self.texts and len(self.texts) < LONGEST:
            self.texts.append(text)

    def debug(self, message: object) -> None:
        """Keep what tells why films are missing; say what is waited for; drop the rest."""
        text = str(message)
        if "Sleeping" in text:
            _log.warning("yt-dlp: %s", one_line(text))
        elif any(word in text.lower() for word in TELLING):
            self.warning(text)

    def info(self, message: object) -> None:
        """Drop news."""

    error = info
