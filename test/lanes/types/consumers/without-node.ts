// A program without @types/node: what of Node is in the types is `any`, and the rest is checked. run.mjs compiles it.

import { getOption, planDeadPeerTimeout, setOptions, tuneSockets } from 'socket-options';
import { PeerSupersededError } from 'socket-options/heartbeat';
import { TcpMetrics } from 'socket-options/metrics';
import 'socket-options/register';

setOptions(3, { userTimeout: 30_000 });
export const noDelay: boolean = getOption({ fd: 3 }, 'noDelay');
export const worst: number = planDeadPeerTimeout(20_000).bounds.worst;
tuneSockets({ client: { deadPeerTimeout: 20_000 } }).close();
export const code: string = new PeerSupersededError().code;
export const text: string = new TcpMetrics().text();
// @ts-expect-error: no such option
setOptions(3, { userTimeOut: 1 });
// @ts-expect-error: not a number
tuneSockets({ client: { deadPeerTimeout: '20s' } });
