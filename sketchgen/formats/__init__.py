"""Read and write drawings in every file format."""
