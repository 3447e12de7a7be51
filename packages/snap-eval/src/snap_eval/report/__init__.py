"""A results folder as one page that needs nothing but a browser."""
