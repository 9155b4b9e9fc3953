"""What people read of a run: HTML, CSV and JSON."""
