"""Train predictors; needs torch (extra `train`)."""
