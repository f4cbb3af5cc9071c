// One connection that metrics follow: what it did until its last sample, and what it looked like then. No system call, no clock.

import type { Socket } from 'node:net';
import { type Evidence, problemsOf } from '../connections/problems';
import { isMarkedSupervised } from '../core/supervised-mark';
import { type Appearance, closeWaitAgeOf, type PeerGroup } from './peer-group';
import { PercentileCounts } from './percentiles';
import { type Sample, timerOf } from './sample';
import { type TcpHandle, tcpHandleOf } from './tcp-handle';

/** What the kernel holds about a connection besides TCP_INFO. `null`: not known. */
export interface HeldOptions {
  readonly keepAlive: boolean | null;
  /** In milliseconds; 0: off. */
  readonly userTimeout: number | null;
}

/** Numbers of 32 bits in the kernel, which wrap. */
const WRAPPING = ['packetsSent', 'packetsRetransmitted', 'packetsSpuriouslyRetransmitted'] as const;
const GROWING = ['bytesSent', 'bytesRetransmitted', 'bytesReceived'] as const;

/** A socket that was connected just now. */
const FRESH: Appearance = {
  ...{ state: 'ESTABLISHED', problems: [], closeWaitAge: undefined, hasUnboundedWrites: false },
  ...{ unread: 0, unsent: 0, rttBucket: -1 },
};

export class FollowedConnection {
  readonly socket: Socket;
  /** Under the name of Node: readTcpInfos() finds the descriptor by it. */
  readonly _handle: TcpHandle;
  readonly group: PeerGroup;
  options: HeldOptions = { keepAlive: null, userTimeout: null };
  samples = 0;
  /** The peer has closed. */
  hasFin = false;
  /** When it is sampled next: a number of the sampler. */
  slot = 0;
  isClosed = false;
  /** Its first sample is where counting begins, because it was open before. */
  needsBaseline: boolean;
  /** The bytes that another process has read. NaN: not known yet. */
  #readElsewhere: number;
  #appearance: Appearance | undefined;
  /** What the last sample reported. NaN: nothing yet. */
  readonly #counted = {
    ...{ packetsSent: NaN, packetsRetransmitted: NaN, packetsSpuriouslyRetransmitted: NaN },
    ...{ bytesSent: NaN, bytesRetransmitted: NaN, bytesReceived: NaN },
  };

  constructor(socket: Socket, handle: TcpHandle, group: PeerGroup, isFresh: boolean) {
    this.socket = socket;
    this._handle = handle;
    this.group = group;
    this.needsBaseline = !isFresh;
    this.#readElsewhere = mayBeTaken(socket) ? NaN : 0;
    group.add('connectionCount', 1);
    if (isFresh) {
      group.add('connectionsCreated', 1);
      this.#show(FRESH);
    }
  }

  /** It is closed, or nothing more is measured. */
  leave(): void {
    this.#show(undefined);
    this.group.add('connectionCount', -1);
  }

  /** Counts what happened since the last sample, and shows what the connection looks like now. */
  record(sample: Sample): void {
    this.#count(sample);
    // A meter of the program may have closed it.
    if (!this.isClosed) this.#show(this.#appearanceIn(sample));
  }

  /** The same just before the connection is closed. */
  recordLast(sample: Sample): void {
    const { group } = this;
    this.#count(sample);
    if (sample.consecutiveTimeouts > 0) {
      group.add('recurringRetransmits', sample.consecutiveTimeouts);
    }
    if (sample.unsentBytes > 0) group.add('bytesUnsentAtClose', sample.unsentBytes);
  }

  #count(sample: Sample): void {
    const { group } = this;
    this.samples += 1;
    this.hasFin = sample.hasFin;
    group.add('samples', 1);
    if (sample.minRtt >= 0) group.record('minRtt', sample.minRtt / 1_000);
    if (sample.rtt >= 0) group.record('rtt', sample.rtt / 1_000);
    if (sample.deliveryRateAppLimited === 0 && sample.deliveryRate >= 0) {
      group.record('deliveryRate', sample.deliveryRate);
    }
    for (const name of WRAPPING) this.#countGrowth(name, sample[name], 2 ** 32);
    for (const name of GROWING) this.#countGrowth(name, sample[name], 0);
    this.needsBaseline = false;
  }

  #countGrowth(
    name: (typeof WRAPPING | typeof GROWING)[number],
    value: number,
    modulus: number,
  ): void {
    // This system does not report it.
    if (Number.isNaN(value)) return;
    let before = this.#counted[name];
    if (value === before) return;
    this.#counted[name] = value;
    if (Number.isNaN(before)) before = this.needsBaseline ? value : 0;
    const growth = value >= before ? value - before : value - before + modulus;
    if (growth > 0) this.group.add(name, growth);
  }

  #show(appearance: Appearance | undefined): void {
    if (isSame(this.#appearance, appearance)) return;
    if (this.#appearance !== undefined) this.group.changeAppearance(this.#appearance, -1);
    if (appearance !== undefined) this.group.changeAppearance(appearance, 1);
    this.#appearance = appearance;
  }

  #appearanceIn(sample: Sample): Appearance {
    const { keepAlive, userTimeout } = this.options;
    const unread = this.#unread(sample);
    const evidence: Evidence = {
      state: sample.state,
      timer: timerOf(sample),
      // The kernel counts the FIN as a byte.
      receiveQueue: unread + Number(sample.state === 'CLOSE-WAIT'),
      sendQueue: sample.unsentBytes,
      keepAlive,
      tcpInfo: sample.evidence,
    };
    const problems = problemsOf(evidence);
    const closeWait = problems.find(({ problem }) => problem === 'close-wait');
    return {
      state: sample.state,
      problems: problems.map(({ problem }) => problem),
      closeWaitAge:
        closeWait === undefined ? undefined : closeWaitAgeOf(closeWait.numbers.waitingFor ?? 0),
      hasUnboundedWrites: userTimeout === 0 && !isMarkedSupervised(this._handle),
      unread,
      unsent: sample.unsentBytes > 0 ? sample.unsentBytes : 0,
      rttBucket: PercentileCounts.bucketOf(sample.rtt),
    };
  }

  /** The bytes that have arrived and that Node has not read. No option of Linux reports them. */
  #unread({ bytesReceived }: Sample): number {
    const { bytesRead } = this._handle;
    if (typeof bytesRead !== 'number' || Number.isNaN(bytesReceived)) return 0;
    // It was passed to another process, which reads it.
    if (tcpHandleOf(this.socket) !== this._handle) return 0;
    const unread = bytesReceived - bytesRead;
    if (Number.isNaN(this.#readElsewhere)) this.#readElsewhere = unread;
    return Math.max(0, unread - this.#readElsewhere);
  }
}

/** A socket that another process has passed to this one was not accepted by a server of this process. */
function mayBeTaken(socket: Socket): boolean {
  return process.channel !== undefined && !(socket as { server?: unknown }).server;
}

/** An idle connection looks the same again and again. */
function isSame(a: Appearance | undefined, b: Appearance | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.state === b.state &&
    a.rttBucket === b.rttBucket &&
    a.unread === b.unread &&
    a.unsent === b.unsent &&
    a.hasUnboundedWrites === b.hasUnboundedWrites &&
    a.closeWaitAge === b.closeWaitAge &&
    a.problems.length === b.problems.length &&
    a.problems.every((problem, index) => problem === b.problems[index])
  );
}
