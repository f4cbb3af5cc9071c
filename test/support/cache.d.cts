export declare const cache: string;
export declare function installed(
  name: string,
  folder: string,
  flags?: readonly string[],
  env?: NodeJS.ProcessEnv,
): string;
