"""What is true of films, whoever made them: rendered tours, RealEstate10K, ICL-NUIM, TUM RGB-D.

``film`` says what a ruler wants to know; every other module reads one way in which truth is published, and ``folder``
finds the films of a folder.
"""
