/** Packs into `folder`. Returns the path of the tarball and the paths of the files in it. */
export function pack(folder: string): { tarball: string; files: string[] };
