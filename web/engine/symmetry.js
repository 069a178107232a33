// Candidates from symmetry: given strokes that have no mirror image yet, mirrored; as sketchgen/completion/symmetry.py.

/** What a part lacks to be symmetric, the most symmetric first. */
export const mirrored = () => [];

/** Which of some candidates, by their rows, are mirror images. */
export const placed = () => new Map();
