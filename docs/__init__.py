"""What makes the site of the pages beside it: hooks of MkDocs (mkdocs.yml), and its pictures."""
