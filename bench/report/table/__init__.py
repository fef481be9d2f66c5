"""One table, drawn as Markdown, CSV, LaTeX and HTML."""
