"""Inputs that strangers and damage might bring, made from true ones: every parser reads them or says no."""
