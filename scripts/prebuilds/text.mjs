// For the readers of binary files beside it.

/** The string at `at`, up to its zero byte. */
export function text(file, at) {
  return file.toString('latin1', at, file.indexOf(0, at));
}
