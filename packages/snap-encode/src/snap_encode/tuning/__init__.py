"""Tune a sentence encoder to distinguish operators (paper, appendix F)."""
