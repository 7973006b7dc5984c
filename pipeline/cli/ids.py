"""Ids of videos as arguments: some of YouTube's begin with ``-``, as options do."""

from typing import Any

from typer.core import TyperCommand

from pipeline.sources.video_source import YOUTUBE_VIDEO_ID


class TakesIds(TyperCommand):
    """A command whose arguments are ids of videos; what looks like an option, and is one of those, stays an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move ids that begin with ``-`` behind ``--``, where they are arguments."""
        options = {name: option for option in self.get_params(ctx) for name in (*option.opts, *option.secondary_opts)}
        kept, ids, given = [], [], iter(args)
        for word in given:
            if word == "--":
                ids += list(given)
            elif word.startswith("-") and word not in options and YOUTUBE_VIDEO_ID.fullmatch(word):
                ids.append(word)
            else:
                kept.append(word)
                if word in options and not getattr(options[word], "is_flag", False):
                    kept += [value for value in (next(given, None),) if value is not None]
        return super().parse_args(ctx, [*kept, "--", *ids] if ids else kept)
