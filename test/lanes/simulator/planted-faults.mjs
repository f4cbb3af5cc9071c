// Faulty variants of the rule. The simulator must find each one, before it may judge the rule itself. What needs millions of
// histories to be found is in test/unit/dead-peer-rule.test.ts.

/** Name, the text of rule.ts that is replaced, and the new text. */
export const plants = [
  ['counts its own answers as attempts', 'orZero(sent - answered)', 'orZero(sent)'],
  ['trusts attempts of any age', 'memory.enoughAt + grace)', 'memory.enoughAt)'],
  ['needs no attempts', 'attempts >= minProbes)', 'attempts >= 0)'],
  ['needs one attempt less', 'attempts >= minProbes)', 'attempts >= minProbes - 1)'],
  ['ends early', 'memory.lifeAt + timeout,', 'memory.lifeAt + 0.9 * timeout,'],
  ['ends late', 'memory.lifeAt + timeout,', 'memory.lifeAt + 1.1 * timeout,'],
  ['hurries after a late call', 'memory.unaskedAt + timeout / 2)', '0)'],
  ['hurries after a late first attempt', 'if (attempts === 0) memory.unaskedAt = now;', ''],
  [
    'never asks for a probe',
    "claimProbe(memory, now, timeout) ? 'keepalive'",
    "false ? 'keepalive'",
  ],
  [
    'asks for a probe only once',
    'now < memory.askedAt + (timeout * GRACE) / 2',
    'memory.askedAt > 0',
  ],
  ['keeps the count of an older silence', 'memory.enoughAt = Number.POSITIVE_INFINITY;', ''],
  [
    'looks for the first time at 7/8',
    'memory.lifeAt + timeout / 2 : now',
    'memory.lifeAt + timeout * 0.875 : now',
  ],
  ['does not note a later life', 'if (lifeAt >', 'if (memory.lifeAt < 0 && lifeAt >'],
];
