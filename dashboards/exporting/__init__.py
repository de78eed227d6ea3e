"""The training report to take away: one HTML file, or a PDF. Its figures are drawn here as SVG, without a browser."""
