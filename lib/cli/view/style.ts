// Colours for a terminal.

const STYLES = {
  heading: '\x1b[7m',
  cursor: '\x1b[7m',
  critical: '\x1b[31m',
  warning: '\x1b[33m',
} as const;
export type Style = keyof typeof STYLES;

export const PLAIN = '\x1b[m';

// https://no-color.org
export const isColourAllowed = () => !process.env.NO_COLOR;

/** Whether stdout is a terminal that shows colours. */
export const showsColours = () =>
  process.stdout.isTTY === true && process.env.TERM !== 'dumb' && isColourAllowed();

export function styled(text: string, style: Style | null, isColoured: boolean): string {
  return isColoured && style !== null ? `${STYLES[style]}${text}${PLAIN}` : text;
}
