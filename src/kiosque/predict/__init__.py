"""The always-up model server, and how others reach it."""
