"""Campaigns: Steward broken on purpose, as often as time allows, and judged by what it promises. Never deployed."""
