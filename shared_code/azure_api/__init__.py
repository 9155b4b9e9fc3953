"""What Steward touches: the only package that imports azure.identity, azure.mgmt and azure.monitor, on first use."""
