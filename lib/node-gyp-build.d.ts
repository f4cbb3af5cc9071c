declare module 'node-gyp-build' {
  /** Loads the addon of the package at `root`: its own build, else the prebuild for this system. */
  export default function load(root: string): unknown;
}
