"""The effect of one column: what a machine answers when only this column changes. No Django here."""
