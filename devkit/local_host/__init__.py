"""Stands in for the Azure Functions host on one machine: loads the app, calls its functions, keeps their queue."""
