"""Dagster's pages for one person on one machine: ``python -m assets.ui`` starts them, guarded."""
