"""What every HTTP process of Kiosque has in common: problems, health, limits, the server."""
