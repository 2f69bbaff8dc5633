"""Running Kiosque: logs and metrics."""
