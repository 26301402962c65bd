"""Documents: a derivation and the evidence for it, as a page of LaTeX or Markdown, as data, and as a folder."""
