"""Books for an article, a text, a reader or another book: index, fusion of evidence, reasons, evaluation."""
