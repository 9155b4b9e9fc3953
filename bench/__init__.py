"""Figures, each by one command, as a ratio to a floor in one run."""
