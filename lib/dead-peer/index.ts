// What face.ts loads with the first call; a bundle of its own.

export { useKit } from '../given';
export { getDeadPeerBounds, planDeadPeerTimeout, setDeadPeerTimeout } from './apply';
export { explainDisconnect } from './explain';
export { boundsOf, falseAlarmsPerHour, givesUpAfter, probesOf, timerLateness } from './rules';
export { timelinesOf } from './timeline';
export { tuneSockets } from './tune';
export { useCapabilities } from './uses';
