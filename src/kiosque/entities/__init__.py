"""Whom we watch: watch lists, aliases that hold from a day to a day, and the matcher."""
