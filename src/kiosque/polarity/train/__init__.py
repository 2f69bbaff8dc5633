"""Training polarity models: needs the extra `polarity-train`. Nothing outside of this package imports torch."""
