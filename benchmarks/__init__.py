"""Kiosque beside what people would use instead: measured in turns on one machine, told as ratios."""
