// Draws lines over logarithmic axes as SVG. A cost that grows with the number of sockets is a straight line there.
//
// The background is white and the text dark, so that a page of any color shows the same picture.

const SIZE = { width: 760, height: 420 };
const PLOT = { left: 84, right: 560, top: 56, bottom: 360 };
/** Of Okabe and Ito: people with any kind of color vision can tell them apart. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#aa4499'];
const LABEL_HEIGHT = 18;

/** `lines` is a list of { name, points, isDashed }; a point is [x, y]. Points at or below 0 are left out. */
export function lineChart({ title, xTitle, yTitle, lines }) {
  const drawn = lines
    .map((line, index) => ({ color: COLORS[index % COLORS.length], ...line }))
    .map((line) => ({ ...line, points: line.points.filter(([, y]) => y > 0) }))
    .filter(({ points }) => points.length > 0);
  const points = drawn.flatMap((line) => line.points);
  const xs = [...new Set(points.map(([x]) => x))].sort((a, b) => a - b);
  const yTicks = ticksAround(points.map(([, y]) => y));
  const x = scale([xs[0], xs.at(-1)], [PLOT.left + 14, PLOT.right - 14]);
  const y = scale([yTicks[0], yTicks.at(-1)], [PLOT.bottom, PLOT.top]);

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="system-ui, sans-serif" font-size="14" fill="#24292f">`,
    `<title>${escaped(title)}</title>`,
    `<rect x="0.5" y="0.5" width="${SIZE.width - 1}" height="${SIZE.height - 1}" rx="6" fill="#ffffff" stroke="#d0d7de"/>`,
    text(PLOT.left, 30, title, 'font-size="16" font-weight="600"'),
    ...yTicks.flatMap((value) => [
      line([PLOT.left, y(value)], [PLOT.right, y(value)], 'stroke="#e4e8ec"'),
      text(PLOT.left - 8, y(value) + 5, number(value), 'text-anchor="end"'),
    ]),
    ...xs.flatMap((value) => [
      line([x(value), PLOT.bottom], [x(value), PLOT.bottom + 5], 'stroke="#57606a"'),
      text(x(value), PLOT.bottom + 22, number(value), 'text-anchor="middle"'),
    ]),
    line([PLOT.left, PLOT.bottom], [PLOT.right, PLOT.bottom], 'stroke="#57606a"'),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 46, xTitle, 'text-anchor="middle"'),
    text(0, 0, yTitle, `text-anchor="middle" transform="translate(22 ${middle()}) rotate(-90)"`),
    ...drawn.map((one) => curve(one, x, y)),
    ...labels(drawn, y),
    '</svg>',
    '',
  ].join('\n');
}

/** Powers of ten, and twice and five times these if they are few, from below the least to above the greatest number. */
function ticksAround(numbers) {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const decades = Math.log10(most / least);
  const steps = decades > 2.5 ? [1] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++) {
    // Not 10 ** -3 * 5, which has more digits.
    for (const step of steps) ticks.push(Number(`${step}e${power}`));
  }
  const first = ticks.findLastIndex((tick) => tick <= least);
  const last = ticks.findIndex((tick) => tick >= most);
  return ticks.slice(first, last + 1);
}

function scale([from, to], [begin, end]) {
  const [low, high] = [Math.log10(from), Math.log10(to)];
  const span = high - low || 1;
  return (value) => round(begin + ((Math.log10(value) - low) / span) * (end - begin));
}

function curve({ color, points, isDashed }, x, y) {
  const path = points.map(([px, py]) => `${x(px)},${y(py)}`).join(' ');
  const dash = isDashed ? ' stroke-dasharray="6 5"' : '';
  const dots = points.map(
    ([px, py]) => `<circle cx="${x(px)}" cy="${y(py)}" r="4" fill="${color}"/>`,
  );
  return [
    `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2.5"${dash}/>`,
    ...(isDashed ? [] : dots),
  ].join('\n');
}

/** The name of each line at its end, moved down where it would cover the one above. */
function labels(lines, y) {
  const placed = lines
    .map(({ name, color, points }) => ({ name, color, at: y(points.at(-1)[1]) }))
    .sort((a, b) => a.at - b.at);
  for (const [index, label] of placed.entries()) {
    if (index > 0) label.at = Math.max(label.at, placed[index - 1].at + LABEL_HEIGHT);
  }
  return placed.map(({ name, color, at }) =>
    text(PLOT.right + 2, round(at + 5), name, `fill="${color}" font-size="13" font-weight="600"`),
  );
}

function line([x1, y1], [x2, y2], attributes) {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${attributes}/>`;
}

function text(x, y, words, attributes) {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(words)}</text>`;
}

function escaped(words) {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function number(value) {
  return value.toLocaleString('en', { maximumFractionDigits: 6 });
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function middle() {
  return (PLOT.top + PLOT.bottom) / 2;
}
