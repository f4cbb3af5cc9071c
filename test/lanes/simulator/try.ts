import { drawHistory } from './histories';
import { check } from './checks';
import { simulate } from './simulate';
const n = Number(process.argv[2] ?? 1000), seed0 = Number(process.argv[3] ?? 1), show = process.argv[4];
const t0 = performance.now();
const per: Record<string, { n: number; ms: number; max: number; at: number; v: Record<string, number> }> = {};
const bad: Record<string, { n: number; list: [number, number][] }> = {};
for (let i = 0; i < n; i++) {
  const d = drawHistory(seed0 + i);
  const { scene, history } = d;
  const t = performance.now();
  const o = simulate(history);
  const ms = performance.now() - t;
  const k = `${scene} ${history.program.kind}`;
  per[k] ??= { n: 0, ms: 0, max: 0, at: 0, v: {} };
  per[k].n++; per[k].ms += ms; per[k].v[o.verdict] = (per[k].v[o.verdict] ?? 0) + 1;
  if (ms > per[k].max) { per[k].max = ms; per[k].at = seed0 + i; }
  for (const f of check(d, o)) if (f.excess > 0) {
    const b = (bad[`${f.promise} | ${k} | ${o.verdict} ${history.hasTimeoutMax ? 'max' : 'nomax'}${history.callAt > o.lifeAt ? ' late' : ''}${history.peer.closedFrom < 1e9 ? ' closed' : ''}${history.override!=='none'?' ' + history.override:''}${history.blockedFrom<1e9?' blocked':''}`] ??= { n: 0, list: [] });
    b.n++; b.list.push([f.excess / (f.promise === 'told in time' ? history.timeout : 1), seed0 + i]);
  }
}
for (const [k, v] of Object.entries(per).sort()) console.log(k.padEnd(20), v.n, (1000 * v.ms / v.n).toFixed(0) + ' us', v.max.toFixed(1), v.at, JSON.stringify(v.v));
console.log(((performance.now() - t0) * 1000 / n).toFixed(0), 'us each');
for (const [k, b] of Object.entries(bad).sort()) if (!show || k.includes(show)) console.log(k.padEnd(60), b.n, b.list.sort((x, y) => y[0] - x[0]).slice(0, 4).map(([e, s]) => `${e.toFixed(2)}@${s}`).join(' '));
