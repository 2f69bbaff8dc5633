"""What goes in and out over HTTP, one module a noun. Limits stand here; the database never sees what breaks them."""
