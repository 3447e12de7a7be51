"""Tune a sentence encoder until its vectors tell operators apart (paper, appendix F)."""
