// A gRPC service with one method. Its messages are strings, so it needs no protocol file.

const write = (text) => Buffer.from(text);
const read = (buffer) => buffer.toString();

export const WAIT = {
  wait: {
    path: '/drivers.Test/Wait',
    requestStream: false,
    responseStream: false,
    requestSerialize: write,
    requestDeserialize: read,
    responseSerialize: write,
    responseDeserialize: read,
  },
};
