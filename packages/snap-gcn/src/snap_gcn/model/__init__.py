"""The parts of a predictor: recipes, networks, files."""
