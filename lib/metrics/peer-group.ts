// The numbers of one peer group: what its connections did, and what those that are open look like.

import type { ProblemCode } from '../connections/problem';
import type { TcpState } from '../index';
import type { Labels, Point } from './exposition';
import { Histogram } from './histogram';
import { type HistogramName, type MetricName, metricTable, type NumberName } from './metric-table';
import { PercentileCounts } from './percentiles';

/** What an open connection looked like at its last sample. */
export interface Appearance {
  readonly state: TcpState;
  readonly problems: readonly ProblemCode[];
  /** `undefined` in any other state. */
  readonly closeWaitAge: CloseWaitAge | undefined;
  readonly hasUnboundedWrites: boolean;
  readonly unread: number;
  readonly unsent: number;
  /** Of `PercentileCounts`. */
  readonly rttBucket: number;
}

/** The states that a connection with a descriptor can have. The others belong to listening sockets or to the kernel. */
const STATES: readonly TcpState[] = [
  ...(['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSE-WAIT', 'CLOSING', 'LAST-ACK'] as const),
  'CLOSED',
];

/** The problems that an open connection can have. */
const PROBLEMS: readonly ProblemCode[] = [
  ...([
    'half-open',
    'close-wait',
    'window-closed',
    'unread',
    'lossy-path',
    'no-keepalive',
  ] as const),
];

/** The names of ages, with the age in milliseconds at which the next one begins. */
const CLOSE_WAIT_AGES = [
  ['under_1m', 60_000],
  ['1m_to_10m', 600_000],
  ['10m_to_1h', 3_600_000],
  ['over_1h', Number.POSITIVE_INFINITY],
] as const;
type CloseWaitAge = (typeof CLOSE_WAIT_AGES)[number][0];

export function closeWaitAgeOf(milliseconds: number): CloseWaitAge {
  return (CLOSE_WAIT_AGES.find(([, end]) => milliseconds < end) ?? CLOSE_WAIT_AGES[3])[0];
}

const PERCENTILES = [50, 90, 99] as const;

/** Labelled metrics, with the values of their labels. */
const LABELLED = {
  connectionsByState: STATES,
  connectionProblems: PROBLEMS,
  closeWaitByAge: CLOSE_WAIT_AGES.map(([age]) => age),
} as const;
type LabelledName = keyof typeof LABELLED;

export class PeerGroup {
  /** `undefined`: the program does not name peers. */
  readonly peer: string | undefined;
  readonly #numbers = new Map<MetricName, number>();
  readonly #labelled: Readonly<Record<LabelledName, Map<string, number>>>;
  readonly #histograms = new Map<MetricName, Histogram>();
  readonly #rtts = new PercentileCounts();
  /** Called for each value of a histogram: instruments of OpenTelemetry. */
  readonly #onValue: (name: HistogramName, value: number, group: PeerGroup) => void;

  constructor(
    peer: string | undefined,
    onValue: (name: HistogramName, value: number, group: PeerGroup) => void,
  ) {
    this.peer = peer;
    this.#onValue = onValue;
    for (const [name, { type, label, isGlobal, bounds }] of Object.entries(metricTable)) {
      if (isGlobal || label !== undefined) continue;
      if (type === 'histogram') {
        this.#histograms.set(name as MetricName, new Histogram(bounds ?? []));
      } else {
        this.#numbers.set(name as MetricName, 0);
      }
    }
    const zeros = (values: readonly string[]) => new Map(values.map((value) => [value, 0]));
    this.#labelled = {
      connectionsByState: zeros(LABELLED.connectionsByState),
      connectionProblems: zeros(LABELLED.connectionProblems),
      closeWaitByAge: zeros(LABELLED.closeWaitByAge),
    };
  }

  add(name: NumberName, amount: number): void {
    this.#numbers.set(name, (this.#numbers.get(name) ?? 0) + amount);
  }

  record(name: HistogramName, value: number): void {
    this.#histograms.get(name)?.record(value);
    this.#onValue(name, value, this);
  }

  /** Adds what a connection looks like now (`by` 1), or removes what it looked like before (-1). */
  changeAppearance(appearance: Appearance, by: 1 | -1): void {
    const { state, problems, closeWaitAge, hasUnboundedWrites } = appearance;
    this.#change('connectionsByState', state, by);
    for (const problem of problems) this.#change('connectionProblems', problem, by);
    if (closeWaitAge !== undefined) this.#change('closeWaitByAge', closeWaitAge, by);
    if (hasUnboundedWrites) this.add('unboundedWrites', by);
    this.add('bytesUnread', by * appearance.unread);
    this.add('bytesUnsent', by * appearance.unsent);
    this.#rtts.change(appearance.rttBucket, by);
  }

  #change(name: LabelledName, value: string, by: number): void {
    const values = this.#labelled[name];
    values.set(value, (values.get(value) ?? 0) + by);
  }

  /** Returns the points of a metric, labelled by the names of Prometheus or of OpenTelemetry. */
  pointsOf(name: MetricName, system: 'prometheus' | 'openTelemetry', peer: Labels): Point[] {
    const number = this.#numbers.get(name);
    if (number !== undefined) return [{ labels: peer, value: number }];
    const histogram = this.#histograms.get(name);
    if (histogram !== undefined) return [{ labels: peer, value: histogram }];
    const label = metricTable[name].label?.[system] ?? '';
    return this.#valuesOf(name).map(([text, value]) => ({
      labels: { ...peer, [label]: text },
      value,
    }));
  }

  #valuesOf(name: MetricName): [label: string, value: number][] {
    if (name === 'rttPercentiles') {
      return PERCENTILES.flatMap((percent): [string, number][] => {
        const time = this.#rtts.percentile(percent / 100);
        return time === undefined ? [] : [[`${percent}`, time / 1_000]];
      });
    }
    const values = this.#labelled[name as LabelledName];
    return [...values].map(([text, value]) => [labelText(text, name), value]);
  }
}

/** States are written as the semantic conventions of OpenTelemetry write them: `close_wait`. */
function labelText(text: string, name: MetricName): string {
  return name === 'connectionsByState' ? text.toLowerCase().replaceAll('-', '_') : text;
}
