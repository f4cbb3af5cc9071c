import { drawHistory } from './histories';
import { simulate } from './simulate';
const n = Number(process.argv[2]), cells: Record<string, { h: number; ended: number; e: number; n: number }> = {};
for (let i = 0; i < n; i++) {
  const d = drawHistory(5e6 + i);
  if (d.scene !== 'lossy') continue;
  const { history } = d;
  const o = simulate(history);
  const k = `${history.timeout} ${history.loss} ${history.program.kind} ${history.program.kind === 'idle' ? '' : (history.program.interval / history.timeout).toFixed(2)}`;
  const c = (cells[k] ??= { h: 0, ended: 0, e: 0, n: 0 });
  const hours = o.at / 3_600_000;
  c.n++; c.h += hours; c.e += -Math.log1p(-(o.plan.falseAlarmsPerHour as number)) * hours; if (o.verdict !== 'alive') c.ended++;
}
for (const [k, c] of Object.entries(cells).sort()) console.log(k.padEnd(26), c.n, 'ended', c.ended, 'expected', c.e.toFixed(1), 'ratio', (c.ended / c.e).toFixed(2), 'per hour', (c.ended / c.h).toFixed(2));
