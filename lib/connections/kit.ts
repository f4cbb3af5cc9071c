// What is not in the bundle of this folder, because there has to be one of it: the addon, and the
// classes of errors. The file that loads this one hands it over.

export type Kit = Pick<typeof import('../binding'), 'binding'> &
  Pick<
    typeof import('../error'),
    'SocketOptionError' | 'describeErrno' | 'rangeError' | 'typeError' | 'valueError'
  >;

export let kit: Kit;

export function useKit(given: Kit): void {
  kit = given;
}
