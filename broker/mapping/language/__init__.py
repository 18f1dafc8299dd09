"""The language of mapping rows: paths, conditions, rows and how a mapping extends another."""
