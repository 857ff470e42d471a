"""How many trials at once get most out of a GPU, or of a machine's processors: it is measured."""
