// The form of a row of fields.ts.

import type * as formulas from './formulas';
import type { darwinStructure } from './structures/darwin';
import type { freeBsdStructure } from './structures/freebsd';
import type { linuxStructure } from './structures/linux';
import type { windowsStructure } from './structures/win32';

/** A field that is one member of a system's structure. */
interface MemberSource<Member> {
  readonly from: Member;
  /** Of the state: the function of states.ts that makes an index of the system's number. */
  readonly states?: 'linuxStateIndex' | 'bsdStateIndex' | 'windowsStateIndex';
  /** The member's unit, where it is not the field's: microseconds become milliseconds. */
  readonly unit?: 'us';
  /** The member to multiply by: segments become bytes. */
  readonly times?: Member;
  /** `0`: the system writes 0 while there is no value. */
  readonly none?: 0;
  /** The system writes this number, or a larger one, while there is no value. */
  readonly noneFrom?: number;
  /** A member that is 0 while there is no value. */
  readonly needs?: Member;
  /** The version of the system, or of its structure, that began to fill it. */
  readonly since?: string;
}

/** A field that a function of formulas.ts makes of several members. */
interface FormulaSource<Member> {
  readonly formula: keyof typeof formulas;
  readonly of: readonly Member[];
  /** A member that is 0 while the field is 0, also where the structure ends before the other members. */
  readonly zeroWhile?: Member;
  readonly since?: string;
}

type Source<Member = string> = MemberSource<Member> | FormulaSource<Member>;

export interface Field {
  readonly unit: 'state' | 'ms' | 'bytes' | 'bytes/s' | 'segments' | 'connections' | 'count';
  /** Its table in docs/tcp-state.md. */
  readonly section: 'life' | 'roundTrip' | 'sending' | 'loss' | 'listening';
  /** What is normal, and what a bad value means, for docs/tcp-state.md. */
  readonly normal?: string;
  readonly bad?: string;
  /** `true`: only a listening socket has it. All other fields but `state` are of connections only. */
  readonly listening?: true;
  /** Where each system has it. A system that does not report it is left out. */
  readonly linux?: Source<keyof typeof linuxStructure>;
  readonly darwin?: Source<keyof typeof darwinStructure>;
  readonly win32?: Source<keyof typeof windowsStructure>;
  readonly freebsd?: Source<keyof typeof freeBsdStructure>;
}
