"""What is fast and small, measured; each module prints Markdown and a line of JSON."""
