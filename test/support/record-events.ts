// Records what an emitter emits.

import type { EventEmitter } from 'node:events';

/** Returns the names of the events that an emitter emits from now on, with what identifies their arguments. */
export function recordEvents(emitter: EventEmitter): string[] {
  const events: string[] = [];
  const { emit } = emitter;
  emitter.emit = function (this: EventEmitter, event: string, ...args: unknown[]) {
    const [first] = args as [{ code?: string; name?: string } | undefined];
    const about = event === 'error' ? ` ${first?.code ?? first?.name}` : '';
    if (typeof event === 'string') events.push(`${event}${about}`);
    return emit.call(this, event, ...args);
  };
  return events;
}
