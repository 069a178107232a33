"""The recogniser: which category a drawing is of, whole or begun, read stroke by stroke."""
