"""Stage ``video``: bring one video into a folder, verified, with what is known about it."""
