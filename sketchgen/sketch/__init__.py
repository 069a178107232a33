"""What a drawing is: strokes of points, their frames, and the files that hold them. No torch here."""
