"""Drawing: what a stage's picture, a contact sheet or a heat map is put together from."""
