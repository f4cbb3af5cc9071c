/** What a command gives: its output, and whether it is all that was asked for. */
export interface Result {
  readonly output: string;
  readonly complete: boolean;
}
