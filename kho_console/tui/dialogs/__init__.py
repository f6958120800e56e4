"""Dialogs: each fills the screen until it is answered."""
