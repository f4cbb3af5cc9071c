// The rule of supervision: reports and times in, a verdict out. The traces come from the worst histories of
// test/lanes/simulator/ and from traps of the kernel's counters.

import { describe, expect, test } from 'vitest';
import { attemptsOf, isSilent, judge, newMemory } from '../../lib/dead-peer/supervision/rule';
import { tcpStates } from '../../lib/tcp-info/states';
import { judgeAll, type Row, report, silentFrom, TERMS } from '../support/reports';

describe('a silent peer', () => {
  test('is dead after the timeout if enough probes are unanswered', () => {
    const rows = silentFrom([[4_000, { silence: 4_000, segmentsSent: 103, probes: 3 }]], 20_000);

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 8_000 });
  });

  test('is alive without enough attempts, however long', () => {
    const rows = silentFrom([[4_000, { silence: 4_000, segmentsSent: 102, probes: 2 }]], 20_000);

    expect(judgeAll(rows).verdict).toBe('alive');
  });

  test('is alive while the last attempt that is needed is younger than an eighth of the timeout', () => {
    const rows: Row[] = [
      [4_000, { silence: 4_000, segmentsSent: 102, probes: 2 }],
      [7_000, { silence: 7_000, segmentsSent: 102, probes: 2 }],
      [7_900, { silence: 7_900, segmentsSent: 103, probes: 3 }],
      [8_100, { silence: 8_100, segmentsSent: 103, probes: 3 }],
      [8_899, { silence: 8_899, segmentsSent: 103, probes: 3 }],
      [8_900, { silence: 8_900, segmentsSent: 103, probes: 3 }],
    ];

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 8_900 });
  });

  test('is looked at at half the timeout, at each eighth, and then more often until the attempts suffice', () => {
    const memory = newMemory(0, 0);
    const lookAt = (time: number, probes: number) =>
      judge(memory, report({ silence: time, segmentsSent: 100 + probes, probes }), time, TERMS)
        .lookAt;

    expect(lookAt(0, 0)).toBe(4_000);
    expect(lookAt(4_000, 1)).toBe(5_000);
    expect(lookAt(6_500, 2)).toBe(7_000);
    expect(lookAt(7_000, 2)).toBe(7_250);
    expect(lookAt(8_000, 2)).toBe(8_250);
    expect(lookAt(8_250, 3)).toBe(9_250);
  });

  test('counts as silent from the second look on', () => {
    const memory = newMemory(0, 0);
    judge(memory, report({ silence: 0 }), 1_000, TERMS);

    expect([5_000, 5_999, 6_000].map((time) => isSilent(memory, time, TERMS))).toEqual([
      false,
      false,
      true,
    ]);
    // Nothing is known of its life before the first look.
    expect(isSilent(newMemory(1_000, Number.NEGATIVE_INFINITY), 5_999, TERMS)).toBe(false);
  });

  test('is alive if it answered between the two last looks', () => {
    const rows: Row[] = [
      [4_000, { silence: 4_000, segmentsSent: 105, probes: 5 }],
      [7_999, { silence: 7_999, segmentsSent: 105, probes: 5 }],
      [8_001, { silence: 1, segmentsSent: 105, segmentsReceived: 101 }],
    ];

    expect(judgeAll(rows)).toMatchObject({ verdict: 'alive', lookAt: 12_000 });
  });

  test('is the same silence although its time varies by a tick of the kernel', () => {
    const rows: Row[] = [
      [4_000, { silence: 4_000, segmentsSent: 103, probes: 3 }],
      [7_500, { silence: 7_490, segmentsSent: 103, probes: 3 }],
      [8_000, { silence: 7_990, segmentsSent: 103, probes: 3 }],
    ];

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 8_000 });
  });

  test('is the same silence although a second answer came within a tick of the first report', () => {
    // Linux does not count probes that its own firewall drops: only the sent segments show them.
    const rows: Row[] = [
      [16, { silence: 16, dataSilence: 16, segmentsSent: 106, segmentsReceived: 103 }],
      [4_020, { silence: 4_000, segmentsSent: 110, segmentsReceived: 104 }],
      [5_020, { silence: 5_000, segmentsSent: 112, segmentsReceived: 104 }],
      [6_027, { silence: 6_000, segmentsSent: 114, segmentsReceived: 104 }],
      [7_045, { silence: 7_000, segmentsSent: 116, segmentsReceived: 104 }],
      [8_030, { silence: 8_000, segmentsSent: 118, segmentsReceived: 104 }],
    ];

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 8_030 });
  });

  test('has answered, although this process was stopped between the report and the clock', () => {
    const memory = newMemory(0, 0);
    const silent = report({ silence: 4_000, segmentsSent: 103, probes: 3 });
    // Asked at 4 000 ms. Then the process was stopped for 300 ms, and the peer answered at 4 100 ms.
    judge(memory, silent, 4_300, TERMS, 4_000);
    const answered = report({ silence: 4_400, segmentsSent: 104, segmentsReceived: 101 });

    expect(judge(memory, answered, 8_500, TERMS).verdict).toBe('alive');
    expect(memory.lifeAt).toBe(4_100);
  });

  test('loses the attempts of an older silence when it answers', () => {
    const rows: Row[] = [
      [5_000, { silence: 5_000, segmentsSent: 105, probes: 5 }],
      [10_000, { silence: 4_000, segmentsSent: 106, segmentsReceived: 101, probes: 1 }],
      [14_000, { silence: 8_000, segmentsSent: 106, segmentsReceived: 101, probes: 1 }],
      [16_000, { silence: 10_000, segmentsSent: 106, segmentsReceived: 101, probes: 1 }],
    ];

    expect(judgeAll(rows).verdict).toBe('alive');
  });
});

describe('attempts', () => {
  test('include segments in flight that a retransmission merged', () => {
    const rows = silentFrom(
      [
        [4_000, { silence: 4_000, segmentsSent: 115, unackedSegments: 15 }],
        [5_000, { silence: 5_000, segmentsSent: 116, unackedSegments: 1, timeouts: 1 }],
      ],
      20_000,
    );

    expect(judgeAll(rows, { ...TERMS, minProbes: 10 })).toMatchObject({
      verdict: 'dead',
      time: 8_000,
    });
  });

  test('include tail-loss probes, which the kernel does not count as timeouts', () => {
    const rows = silentFrom(
      [
        [300, { silence: 300, segmentsSent: 101, unackedSegments: 1 }],
        [4_000, { silence: 4_000, segmentsSent: 103, unackedSegments: 1, timeouts: 1 }],
      ],
      20_000,
    );

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 8_000 });
  });

  test('include the segments of a writer whose retransmission timeout is postponed', () => {
    const rows = [4_000, 5_000, 6_000, 7_000, 8_000].map((time): Row => {
      const written = Math.floor(time / 30);
      return [time, { silence: time, segmentsSent: 100 + written, unackedSegments: written }];
    });

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 8_000 });
  });

  // Seed 1469: a probe, then a write just before the next probe.
  test('are probes and data together', () => {
    const rows = silentFrom(
      [[4_000, { silence: 4_000, segmentsSent: 103, probes: 2, unackedSegments: 1 }]],
      20_000,
    );

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 8_000 });
  });

  test('are not our answers to the keepalive of a peer that does not hear us', () => {
    const rows = [4_000, 5_000, 6_000, 7_000, 8_000, 12_000].map((time): Row => {
      const answers = time / 500;
      const counts = { segmentsSent: 100 + answers, segmentsReceived: 100 + answers };
      return [time, { silence: time, ...counts }];
    });

    expect(judgeAll(rows).verdict).toBe('alive');
  });

  // Seed 7310034: silent for 40 ms, the acknowledgement of the last data follows.
  test('are not an acknowledgement that is still due', () => {
    const rows = silentFrom(
      [
        [40, { silence: 40, dataSilence: 40, segmentsSent: 100 }],
        [
          4_000,
          { silence: 4_000, dataSilence: 4_000, segmentsSent: 103, unsentBytes: 9, probes: 2 },
        ],
      ],
      20_000,
    );

    expect(judgeAll(rows).verdict).toBe('alive');
  });

  test('are at least what the kernel counts, if segments of the peer were not answered', () => {
    const counts = { segmentsSent: 103, segmentsReceived: 109 };
    const rows = silentFrom(
      [
        [300, { silence: 300 }],
        [4_000, { silence: 4_000, ...counts, unackedSegments: 1, timeouts: 2 }],
      ],
      20_000,
    );

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 8_000 });
  });

  test('are counted across the end of the 32-bit counters', () => {
    const start = 2 ** 32 - 2;
    const rows = silentFrom(
      [
        [300, { silence: 300, segmentsSent: start }],
        [4_000, { silence: 4_000, segmentsSent: 1 }],
      ],
      20_000,
    );

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 8_000 });
  });

  test('are segments that the own machine drops, which count as no probes', () => {
    const rows = [300, 4_000, 5_000, 6_000, 7_000, 8_000].map((time): Row => {
      return [time, { silence: time, segmentsSent: 100 + Math.floor(time / 500), probes: 0 }];
    });

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 8_000 });
  });

  test('are reported with the verdict', () => {
    const memory = newMemory(0, 0);
    judge(memory, report({ silence: 4_000, segmentsSent: 102, probes: 2 }), 4_000, TERMS);

    expect(attemptsOf(memory, report({ segmentsSent: 105, probes: 5 }))).toBe(5);
  });
});

describe('a first attempt that comes late', () => {
  // Seed 9607: a call in a long silence, and an answer that takes 0.45 of the timeout.
  test('has half the timeout for its answer after a call late in a silence', () => {
    const rows: Row[] = [0, 1_000, 2_000, 3_000, 3_999, 4_000].map((time) => {
      const probes = Math.floor(time / 800);
      return [time, { silence: 60_000 + time, segmentsSent: 100 + probes, probes }];
    });

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 4_000 });
  });

  test('has half the timeout also if older attempts are unanswered at the call', () => {
    const rows: Row[] = [0, 1_000, 3_999, 4_000].map((time) => {
      return [time, { silence: 60_000 + time, segmentsSent: 105, probes: 5 }];
    });

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 4_000 });
  });

  // Seed 16452: keepalive was switched off while the event loop was blocked.
  test('has half the timeout for its answer after a blocked event loop', () => {
    const rows: Row[] = [
      [1_000, { silence: 100 }],
      [30_000, { silence: 29_100 }],
      [31_000, { silence: 30_100, segmentsSent: 102, probes: 2 }],
      [32_000, { silence: 31_100, segmentsSent: 104, probes: 4 }],
      [33_999, { silence: 33_099, segmentsSent: 105, probes: 5 }],
      [34_000, { silence: 33_100, segmentsSent: 105, probes: 5 }],
    ];

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 34_000 });
  });

  test('is not needed if a blocked event loop finds enough attempts', () => {
    const rows: Row[] = [
      [1_000, { silence: 100 }],
      [30_000, { silence: 29_000, segmentsSent: 109, probes: 9 }],
      [31_000, { silence: 30_000, segmentsSent: 109, probes: 9 }],
    ];

    expect(judgeAll(rows)).toMatchObject({ verdict: 'dead', time: 31_000 });
  });
});

describe('the request for a probe', () => {
  // Seed 3193: core's setKeepAlive(false) after the first probe. The verdict never came.
  test('sets keepalive again although one attempt was made', () => {
    const rows = silentFrom([[4_000, { silence: 4_000, segmentsSent: 101, probes: 1 }]], 8_000);

    expect(judgeAll(rows).asked).toEqual([4_000, 5_000, 6_000, 7_000, 8_000]);
  });

  test('is repeated until the attempts suffice, but not at each look', () => {
    const rows = [8_000, 8_250, 8_500, 8_750, 9_000].map((time): Row => [time, { silence: time }]);

    expect(judgeAll(rows).asked).toEqual([8_000, 8_500, 9_000]);
  });

  test.each([{ unackedSegments: 1 }, { unsentBytes: 1 }])('is not made with %o', (waiting) => {
    const rows = silentFrom([[4_000, { silence: 4_000, ...waiting }]], 8_000);

    expect(judgeAll(rows).asked).toEqual([]);
  });

  test('is not made of a peer that answered in the first half of the timeout', () => {
    expect(judgeAll([[3_999, { silence: 3_999 }]])).toMatchObject({ lookAt: 4_000, asked: [] });
  });
});

describe('the state', () => {
  test('CLOSED is a verdict at once', () => {
    const state = tcpStates.indexOf('CLOSED');

    expect(judgeAll([[10, { state }]])).toMatchObject({ verdict: 'closed' });
  });

  test('SYN-SENT has no time of life: with Fast Open the silence begins with the call', () => {
    const state = tcpStates.indexOf('SYN-SENT');
    const uptime = 9_000_000;
    const rows: Row[] = [4_500, 8_400, 8_500].map((time) => {
      return [time, { state, silence: uptime + time, unackedSegments: 1, timeouts: 2 }];
    });

    expect(judgeAll(rows, TERMS, 500)).toMatchObject({ verdict: 'dead', time: 8_500 });
  });

  test('ESTABLISHED just now is not silent since before', () => {
    const rows: Row[] = [[5_000, { silence: 90_000, probes: 9 }]];

    expect(judgeAll(rows, TERMS, 4_000, 4_000)).toMatchObject({ verdict: 'alive', lookAt: 8_000 });
  });
});
