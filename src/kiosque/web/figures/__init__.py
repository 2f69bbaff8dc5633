"""Charts as SVG, drawn on the server: readable without script, themed by the page's colour tokens."""
