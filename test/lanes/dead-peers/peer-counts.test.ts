// The counts of a registry, compared with ss(8).

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inNamespace, needsNamespace } from '../../support/namespace';

interface States {
  readonly established: number | null;
  readonly halfOpen: number | null;
  readonly closeWait: number | null;
}

interface Counts {
  readonly before: States;
  readonly bySs: States;
  readonly after: States;
  readonly closed: States & { readonly identities: number; readonly connections: number };
}

describe('the states of the connections of a registry', () => {
  beforeEach(needsNamespace);

  let counts: Counts;
  beforeAll(async () => {
    counts = await inNamespace<Counts>('dead-peers/peer-counts.mjs');
  });

  test('are the same as in ss', () => {
    const { before, bySs, after } = counts;
    // An unplugged peer that is sent nothing looks like a silent one.
    expect(bySs).toEqual({ established: 11 + 3, halfOpen: 5 + 7, closeWait: 9 });
    expect(before).toMatchObject(bySs);
    expect(after).toMatchObject(bySs);
  });

  test('are all 0 after the connections were closed', () => {
    const { identities, connections, established, halfOpen, closeWait } = counts.closed;
    expect([identities, connections, established, halfOpen, closeWait]).toEqual([0, 0, 0, 0, 0]);
  });
});
