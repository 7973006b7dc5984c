"""The dataset of all built videos: its index, what is left out, and how it is handed on."""
