"""Stage ``semantics``: every pixel of a clip gets a label and a region."""
