"""How a predictor is trained; needs torch (extra `train`)."""
