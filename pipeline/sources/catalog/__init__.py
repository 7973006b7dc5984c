"""Which videos there are and what became of them: ``<data>/catalog/``."""
