"""The stages of a video, a folder each, and what runs them."""
