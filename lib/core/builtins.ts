// Modules of Node that are loaded at their first use: with the package, they would take 3 ms of CPU time, and node:net is of no use
// to a heartbeat of other streams (docs/decisions/0006-one-bundle-per-entry-point.md). They are in the runtime: no file is read.

let cluster: typeof import('node:cluster').default | undefined;
let dgram: typeof import('node:dgram') | undefined;
let net: typeof import('node:net') | undefined;

export const builtins = {
  /** It loads node:child_process. */
  get cluster() {
    cluster ??= require('node:cluster') as NonNullable<typeof cluster>;
    return cluster;
  },
  get dgram() {
    dgram ??= require('node:dgram') as NonNullable<typeof dgram>;
    return dgram;
  },
  /** A program with a heartbeat may have no TCP socket. */
  get net() {
    net ??= require('node:net') as NonNullable<typeof net>;
    return net;
  },
};
