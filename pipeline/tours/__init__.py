"""Rendered tours: seeded procedural houses, filmed by a walking camera, with exact truth for every frame.

They are the sample input of the pipeline and the ruler of every stage. The rules:

* World: metres, z up, floor at z = 0, walls along x and y. Camera axes x right, y down, z forward; poses are
  ``camera_to_world``; pixel centres at integers + 0.5; one set of intrinsics a tour, square pixels, centred.
* The same seed and settings give the same frames, whatever the order in which they are asked for.
* Seeds have their uses (``pipeline.tours.seeds``); frozen ones are built for a purpose alone (``tours.frozen``).
* Labels are those of ``pipeline.contract.classes``; everything outdoors, the sky and title cards are 255 (unknown).
"""
