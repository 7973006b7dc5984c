"""Frozen image networks to learn from, and their features."""
