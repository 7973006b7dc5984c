"""The documents, and the Sphinx extension that writes those of their pages that come from the code."""
