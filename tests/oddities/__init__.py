"""The irregularities of real Resource Manager traffic, by number, and what Steward makes of each; see `table`."""
