"""Notices: who is told what happened, when it is new, and by which way."""
