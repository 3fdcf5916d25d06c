"""Knowledge as files: reading Excel and CSV, recognising columns, writing them."""
