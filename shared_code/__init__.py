"""What Steward knows and decides; nothing here imports azure.functions."""
