"""Where news and book lists come from; each source turns its format into articles or books."""
