// What the parts of this package that are loaded later take from the part that is loaded first, because
// there has to be one of it: the addon and its memory, the classes of errors, the way to a descriptor.

import {
  callbackError,
  isOptions,
  optionError,
  rangeError,
  typeError,
  unknownOption,
  valueError,
} from './argument-error';
import {
  binding,
  bytes,
  constantTables,
  defaultOf,
  getRecords,
  isLoaded,
  putBytes,
  putRoom,
  putWord,
  readQueues,
  readTcpInfo,
  setRecords,
  tcpInfo,
  words,
} from './binding';
import { describeErrno, errnoOf, SocketOptionError, systemError, unsupportedError } from './error';
import {
  descriptorOf,
  descriptorOfHandle,
  findDescriptors,
  handleOrDescriptor,
  tcpHandleOf,
} from './socket';

export type Kit = ReturnType<typeof kit>;

export function kit() {
  return {
    ...{
      binding,
      bytes,
      constantTables,
      defaultOf,
      getRecords,
      isLoaded,
      putBytes,
      putRoom,
      putWord,
    },
    ...{ readQueues, readTcpInfo, setRecords, tcpInfo, words },
    ...{ describeErrno, errnoOf, optionError, rangeError, SocketOptionError, systemError },
    ...{ callbackError, isOptions, typeError, unknownOption, unsupportedError, valueError },
    ...{ descriptorOf, descriptorOfHandle, findDescriptors, handleOrDescriptor, tcpHandleOf },
  };
}
