"""The inputs of a predictor: graphs through views, and vectors of their operators."""
