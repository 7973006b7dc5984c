"""``python -m pipeline``: one video without Dagster, scores against rendered tours, settings, pictures, queries."""

import pipeline.cli.language  # noqa: F401 - adds its commands
from pipeline.cli.app import main

if __name__ == "__main__":
    main()
