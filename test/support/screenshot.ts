// Pictures of a terminal for the docs: the text that tmux(1) shows, with its colours, as SVG.

/** Width and height of a character, in pixels. */
const [WIDTH, HEIGHT] = [8.4, 18];
const [FOREGROUND, BACKGROUND] = ['#d4d4d4', '#1e1e1e'];
/** The colours that the command line uses, by their numbers in SGR. */
const COLOURS: Readonly<Record<string, string>> = {
  '31': '#f48771',
  '33': '#dcdcaa',
  '36': '#9cdcfe',
  '2': '#8a8a8a',
};

interface Style {
  readonly colour: string;
  readonly isInverse: boolean;
  readonly isBold: boolean;
}

const PLAIN: Style = { colour: FOREGROUND, isInverse: false, isBold: false };

/** A text with escape codes for colours -> SVG, as wide as the terminal. The first line is the title. */
export function toSvg(captured: string, columns: number): string {
  const lines = captured.trimEnd().split('\n');
  let style = PLAIN;
  const drawn: string[] = [];
  lines.forEach((line, row) => {
    let column = 0;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are control characters
    for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the same
      const codes = /^\x1b\[([\d;]*)m$/.exec(part)?.[1];
      if (codes === undefined) {
        drawn.push(...draw(part, row, column, style));
        column += [...part].length;
      } else {
        style = codes.split(';').reduce(styleAfter, style);
      }
    }
  });
  const [width, height] = [columns * WIDTH + 16, lines.length * HEIGHT + 16];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">`,
    `<title>${escaped(lines[0] ?? '')}</title>`,
    `<rect width="100%" height="100%" rx="6" fill="${BACKGROUND}"/>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function styleAfter(style: Style, code: string): Style {
  if (code === '' || code === '0') return PLAIN;
  if (code === '1') return { ...style, isBold: true };
  if (code === '7') return { ...style, isInverse: true };
  if (code === '27') return { ...style, isInverse: false };
  const colour = code === '39' ? FOREGROUND : COLOURS[code];
  if (colour === undefined) throw new Error(`a picture has no colour for SGR ${code}`);
  return { ...style, colour };
}

function draw(text: string, row: number, column: number, style: Style): string[] {
  if (text === '' || (text.trim() === '' && !style.isInverse)) return [];
  const { colour, isInverse, isBold } = style;
  const [x, y] = [8 + column * WIDTH, 8 + row * HEIGHT];
  const width = [...text].length * WIDTH;
  const box = `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${HEIGHT}" fill="${colour}"/>`;
  const fill = isInverse ? BACKGROUND : colour;
  const weight = isBold ? ' font-weight="bold"' : '';
  const words = `<text x="${x.toFixed(1)}" y="${y + 13}" fill="${fill}"${weight} textLength="${width.toFixed(1)}" xml:space="preserve">${escaped(text)}</text>`;
  return isInverse ? [box, words] : [words];
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string) =>
  text.replace(/[&<>]/g, (character) => ENTITIES[character] as string);
