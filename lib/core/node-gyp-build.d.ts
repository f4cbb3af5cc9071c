declare module 'node-gyp-build' {
  /** The addon of the package at `root`: its own build, else the prebuild for this system. */
  export function path(root: string): string;
}
