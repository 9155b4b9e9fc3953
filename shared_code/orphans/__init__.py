"""Resources that nothing uses any more: a module for each type, with its condition and what only looks so."""
