// What face.ts hands its calls to; a bundle of its own.

export { useKit } from '../given';
export { getDeadPeerBounds } from './bounds';
export { explainDisconnect } from './explain';
export { boundsOf, falseAlarmsPerHour, givesUpAfter, probesOf, timerLateness } from './rules';
export { planDeadPeerTimeout, setDeadPeerTimeout } from './set';
export { timelinesOf } from './timeline';
export { tuneSockets } from './tune';
export { useCapabilities } from './uses';
