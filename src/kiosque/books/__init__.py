"""Which book goes deeper: catalogue, index, recommendation, reasons, evaluation."""
