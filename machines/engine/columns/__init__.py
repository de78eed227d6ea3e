"""Text columns -> types, roles and arrays. Importing this package, `numbers` or `moments` never loads polars."""
