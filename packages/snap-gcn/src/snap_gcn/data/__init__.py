"""What a predictor reads: graphs through views, and vectors of their operators."""
