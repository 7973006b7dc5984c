"""``python -m pipeline``: one video without Dagster, scores against rendered tours, settings, pictures, queries."""

import pipeline.language.commands  # noqa: F401 - adds its commands
from pipeline.cli import main

if __name__ == "__main__":
    main()
