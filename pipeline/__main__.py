"""``python -m pipeline``: one video without Dagster, scores against rendered tours, settings, pictures."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
