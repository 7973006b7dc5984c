"""Comparisons of many trainings on rendered rooms with exact grids: label efficiency, and pillars of distillation."""
