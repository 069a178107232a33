/** A point [x, y], y down; numbers behind these (time, pressure) are ignored. */
export type Point = [number, number, ...number[]];
export type Stroke = Point[];

export interface Settings {
  /** A name of `model.categories`, "auto" (the default) to guess it, or "none". */
  category?: string;
  /** Alternatives; 1 by default. */
  count?: number;
  /** The same seed, drawing and settings give the same points, as in Python. */
  seed?: number;
  /** 0 to 2; 0.5 by default. */
  temperature?: number;
  /** Pull towards the category, 0 to 10; by default the model's own. */
  guidance?: number;
  /** Candidates for each alternative, 1 to 16; the best are chosen. */
  bestOf?: number;
  /** Most points that are added; 250 by default. */
  limit?: number;
  /** Whether the last stroke is continued; by default chance decides by how finished it looks. */
  continueStroke?: boolean;
  /** Added points stay on it. */
  page?: { x?: number; y?: number; width: number; height: number };
  signal?: AbortSignal;
}

export interface Growth {
  /** New points [x, y, pen] of each alternative; pen 1 where the line is lifted, else 0. */
  alts: [number, number, 0 | 1][][];
  /** Whether this is the last one. */
  done: boolean;
  /** In the first one, if the category was guessed: the likeliest categories. */
  guesses?: [string, number][];
  /** In the last one: alternatives that begin again with these points. */
  anew?: number[];
  /** In the last one: the category under which each was drawn. */
  categories?: (string | null)[];
}

export interface Model {
  readonly categories: string[];
  /** Whether `guidance` above 0 is possible. */
  readonly guidable: boolean;
  complete(strokes: Stroke[], settings?: Settings): AsyncGenerator<Growth>;
  generate(settings?: Settings): Promise<{ category: string | null; strokes: [number, number][][] }[]>;
  guess(strokes: Stroke[], top?: number): { category: string; probability: number }[];
}

export interface LoadOptions {
  onProgress?: (part: { loaded: number; total: number }) => void;
  signal?: AbortSignal;
}

/** Loads the model of a folder that `sketchgen export web` wrote; rejects with an Error of one line. */
export function load(url: string | URL, options?: LoadOptions): Promise<Model>;

/** Points [x, y, pen] as strokes. */
export function toStrokes(points: [number, number, number][]): [number, number][][];
