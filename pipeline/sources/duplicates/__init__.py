"""Recognises a video that was uploaded before."""
