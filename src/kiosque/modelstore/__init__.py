"""Immutable model versions on a folder or a shared volume, and the aliases that point at them."""
