/** The text at `at`, up to its zero. */
export function text(file, at) {
  return file.toString('latin1', at, file.indexOf(0, at));
}
