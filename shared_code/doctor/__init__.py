"""Looks whether an installation is whole: one check a line, each with what was found and what to do."""
