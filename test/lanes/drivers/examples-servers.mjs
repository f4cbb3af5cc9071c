// The gRPC health service, in the network namespace of servers.mjs. Tells its parent when it listens.

import { promisify } from 'node:util';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { SERVER } from './address.mjs';

const bytes = (message) => message;
const HEALTH = {
  check: {
    ...{ path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false },
    ...{ requestSerialize: bytes, requestDeserialize: bytes },
    ...{ responseSerialize: bytes, responseDeserialize: bytes },
  },
};

/** HealthCheckResponse { status: SERVING }, as grpc.health.v1 defines it. */
const SERVING = Buffer.from([0x08, 1]);

const grpc = new Server();
grpc.addService(HEALTH, { check: (_call, callback) => callback(null, SERVING) });
const bind = promisify(grpc.bindAsync.bind(grpc));
await bind(`${SERVER}:50051`, ServerCredentials.createInsecure());
process.send({ result: 'listening' });
