"""How a text portrays a target: prepare, score, calibrate, explain, evaluate."""
