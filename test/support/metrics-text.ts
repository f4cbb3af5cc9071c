// Reads the text that TcpMetrics writes.

/** Returns the value of each series by its text: `tcp_connections{peer="a"}`. */
export function seriesOf(text: string): ReadonlyMap<string, number> {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const end = line.lastIndexOf(' ');
    series.set(line.slice(0, end), Number(line.slice(end + 1).replace('Inf', 'Infinity')));
  }
  return series;
}
