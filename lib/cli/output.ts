// Writes to stdout, no faster than it is read.

/** Resolves with whether the text was written; not if the reader has closed the pipe. */
export function write(text: string): Promise<boolean> {
  return new Promise((resolve) => process.stdout.write(text, (error) => resolve(!error)));
}
