"""Runs all of Steward on one machine without Azure; never deployed."""
