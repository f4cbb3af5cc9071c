// The other end of kit.ts, a copy in each part that is loaded later: what it was given, under its
// names. To be read when it is used, and not while the part is being loaded.

import type { Kit } from './kit';

export let binding: Kit['binding'];
export let bytes: Kit['bytes'];
export let constantTables: Kit['constantTables'];
export let defaultOf: Kit['defaultOf'];
export let getRecords: Kit['getRecords'];
export let isLoaded: Kit['isLoaded'];
export let putBytes: Kit['putBytes'];
export let putRoom: Kit['putRoom'];
export let putWord: Kit['putWord'];
export let readQueues: Kit['readQueues'];
export let readTcpInfo: Kit['readTcpInfo'];
export let setRecords: Kit['setRecords'];
export let tcpInfo: Kit['tcpInfo'];
export let words: Kit['words'];

export let callbackError: Kit['callbackError'];
export let describeErrno: Kit['describeErrno'];
export let errnoOf: Kit['errnoOf'];
export let isOptions: Kit['isOptions'];
export let optionError: Kit['optionError'];
export let rangeError: Kit['rangeError'];
export let SocketOptionError: Kit['SocketOptionError'];
export let systemError: Kit['systemError'];
export let typeError: Kit['typeError'];
export let unknownOption: Kit['unknownOption'];
export let unsupportedError: Kit['unsupportedError'];
export let valueError: Kit['valueError'];

export let descriptorOf: Kit['descriptorOf'];
export let descriptorOfHandle: Kit['descriptorOfHandle'];
export let findDescriptors: Kit['findDescriptors'];
export let handleOrDescriptor: Kit['handleOrDescriptor'];
export let tcpHandleOf: Kit['tcpHandleOf'];

export function useKit(kit: Kit): void {
  ({ binding, bytes, constantTables, defaultOf, getRecords, isLoaded } = kit);
  ({ putBytes, putRoom, putWord, readQueues, readTcpInfo, setRecords, tcpInfo, words } = kit);
  ({ describeErrno, errnoOf, optionError, rangeError, SocketOptionError, systemError } = kit);
  ({ callbackError, isOptions, typeError, unknownOption, unsupportedError, valueError } = kit);
  ({ descriptorOf, descriptorOfHandle, findDescriptors, handleOrDescriptor, tcpHandleOf } = kit);
}
