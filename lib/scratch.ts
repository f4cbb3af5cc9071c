// The layout of the memory that is shared with the addon; native/addon.h has the same. No imports: it
// is part of every bundle.

/** Words before the first record: descriptor, count, answer. */
export const HEADER = 4;
/** Where the records end, and the place of `TCP_INFO` begins, in bytes. */
export const RECORDS_END = 16 * 1024;
/** Words of a record before its value. */
export const HEAD = 3;
/** Longest value of one option, in bytes. */
export const LONGEST = RECORDS_END - 4 * HEADER - 4 * HEAD;
