// The type of a row of fields.ts.

import type * as formulas from './formulas';
import type { darwinStructure } from './structures/darwin';
import type { freeBsdStructure } from './structures/freebsd';
import type { linuxStructure } from './structures/linux';
import type { windowsStructure } from './structures/win32';

/** A field that is one member of a system's structure. */
interface MemberSource<Member> {
  readonly from: Member;
  /** For the state: the function of states.ts that converts the system's number to an index. */
  readonly states?: 'linuxStateIndex' | 'bsdStateIndex' | 'windowsStateIndex';
  /** The member's unit, if it differs from the field's: microseconds are converted to milliseconds. */
  readonly unit?: 'us';
  /** The member to multiply by, to convert segments to bytes. */
  readonly times?: Member;
  /** `0`: the system writes 0 if there is no value. */
  readonly none?: 0;
  /** The system writes this number, or a larger one, if there is no value. */
  readonly noneFrom?: number;
  /** A member that is 0 if there is no value. */
  readonly needs?: Member;
  /** The first version of the system, or of its structure, that reports it. */
  readonly since?: string;
}

/** A field that a function of formulas.ts computes from several members. */
interface FormulaSource<Member> {
  readonly formula: keyof typeof formulas;
  readonly of: readonly Member[];
  /** A member that is 0 if the field is 0, even if the structure ends before the other members. */
  readonly zeroWhile?: Member;
  readonly since?: string;
}

type Source<Member = string> = MemberSource<Member> | FormulaSource<Member>;

export interface Field {
  readonly unit: 'state' | 'ms' | 'bytes' | 'bytes/s' | 'segments' | 'connections' | 'count';
  /** The table in docs/tcp-state.md. */
  readonly section: 'life' | 'roundTrip' | 'sending' | 'loss' | 'listening';
  /** Normal values, and the meaning of a bad one, for docs/tcp-state.md. */
  readonly normal?: string;
  readonly bad?: string;
  /** `true`: only a listening socket has it. Only connections have the other fields, except `state`. */
  readonly listening?: true;
  /** The source on each system. A system that does not report the field is omitted. */
  readonly linux?: Source<keyof typeof linuxStructure>;
  readonly darwin?: Source<keyof typeof darwinStructure>;
  readonly win32?: Source<keyof typeof windowsStructure>;
  readonly freebsd?: Source<keyof typeof freeBsdStructure>;
}
