"""What a predictor is: recipes, networks, files."""
