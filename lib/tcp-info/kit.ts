// What is not in the bundle of this folder, because there has to be one of it: the addon and its
// memory, and the classes of errors. The file that loads this one hands it over.

export type Kit = Pick<
  typeof import('../binding'),
  | 'binding'
  | 'bytes'
  | 'getRecords'
  | 'HEAD'
  | 'putRoom'
  | 'readQueues'
  | 'readTcpInfo'
  | 'tcpInfo'
  | 'words'
> &
  Pick<
    typeof import('../error'),
    'errnoOf' | 'rangeError' | 'systemError' | 'typeError' | 'valueError'
  > &
  Pick<typeof import('../socket'), 'descriptorIfOpen' | 'descriptorOf'>;

export let kit: Kit;

export function useKit(given: Kit): void {
  kit = given;
}
