import { drawHistory } from './histories';
import { simulate, type Look } from './simulate';
const d = drawHistory(Number(process.argv[2]));
console.log(d);
const looks: Look[] = [];
const o = simulate(d.history, looks);
for (const [t, r] of looks.slice(0, 60)) console.log(t.toFixed(0).padStart(8), JSON.stringify(r));
console.log({ ...o, plan: { ...o.plan, why: 0, promise: 0 } });
