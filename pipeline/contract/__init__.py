"""What every part relies on: classes, grid, records, errors, camera, words. Imports nothing of the project."""
