// What each figure of run.mjs measures and what it is compared to: a row for each. docs/benchmarks.md is made of these rows,
// and run.mjs fails if a figure has none. Budgets are at the measurements.
//
// `unit`: what the page shows, where the report has only the first part of it (ms of ms/s).

/** The page explains it. */
const C_LOOP = 'C loop';
const NO_SUPERVISION = 'the same process without supervision';

const SECTIONS = {
  'Calls on one socket': {
    setKeepAlive: {
      measures: '`setKeepAlive()` with all four values',
      comparedTo: `${C_LOOP}, four calls`,
    },
    setOptions4: {
      measures: '`setOptions()` with four integer options',
      comparedTo: `${C_LOOP}, four calls`,
    },
    getKeepAlive: { measures: '`getKeepAlive()`', comparedTo: `${C_LOOP}, four calls` },
    setKeepAliveVsNode: {
      measures: '`setKeepAlive()` with all four values',
      comparedTo:
        "Node's own `socket.setKeepAlive()`; before Node 24.19 and 26.4 it takes only two of the values",
    },
    setKeepAliveVsNetKeepalive: {
      measures: '`setKeepAlive()` with all four values',
      comparedTo: 'net-keepalive with the same values',
    },
    setKeepAliveVsFfi: {
      measures: '`setKeepAlive()` with all four values',
      comparedTo: 'setsockopt(2) by koffi, a generic FFI, with all memory prepared',
    },
    getKernelTcpInfo: {
      measures: '`getKernelTcpInfo()`, an object of all fields in units of the kernel',
      comparedTo: `${C_LOOP}, one call`,
    },
    getTcpInfo: {
      measures: '`getTcpInfo()`, an object of all fields',
      comparedTo: `${C_LOOP}, one call`,
    },
    tcpInfoReader: {
      measures: '`TcpInfoReader.read()` and three of its getters',
      comparedTo: `${C_LOOP}, one call`,
    },
    bytesPerRead: { measures: 'heap that `TcpInfoReader.read()` and three getters allocate' },
  },
  'Reads of 10,000 connections': {
    readTcpInfosAll10k: {
      measures: '`readTcpInfos()` of descriptors, all fields, for each socket',
      comparedTo: C_LOOP,
    },
    readTcpInfos4Fields10k: {
      measures: '`readTcpInfos()` of descriptors, four fields, for each socket',
      comparedTo: C_LOOP,
    },
    readTcpInfosOfSockets10k: {
      measures: '`readTcpInfos()` of `net.Socket` objects, four fields, for each socket',
      comparedTo: C_LOOP,
    },
    readTcpInfosVsSs10k: {
      measures: '`readTcpInfos()` of descriptors, all fields, for each socket (elapsed time)',
      comparedTo: '`ss -tinH`, for each socket, without reading its output',
    },
    listConnectionsVsSs10k: {
      measures: '`listConnections()` with `tcpInfo`, for each connection (elapsed time)',
      comparedTo: '`ss -tinHoe` and a parser of its output, for each connection',
    },
    readTcpInfosAsyncAll10k: {
      measures:
        '`readTcpInfosAsync()` of `net.Socket` objects, all fields, all threads, for each socket',
      comparedTo: C_LOOP,
    },
    readTcpInfosAsyncAllMain: {
      measures: 'the same, the main thread alone',
      comparedTo: C_LOOP,
    },
    readTcpInfosAsyncFour10k: {
      measures:
        '`readTcpInfosAsync()` of `net.Socket` objects, four fields, all threads, for each socket',
      comparedTo: C_LOOP,
    },
    readTcpInfosAsyncFourMain: {
      measures: 'the same, the main thread alone',
      comparedTo: C_LOOP,
    },
    readTcpInfosAsyncSlice100k: {
      measures:
        '`readTcpInfosAsync()` of 100,000 `net.Socket` objects: the longest time that it blocks the event loop',
    },
    readTcpInfosAsyncNumbers: { measures: 'the same of descriptors' },
    listAsync100kMb: {
      measures: '`listConnectionsAsync()` of 100,000 connections: memory above the start',
    },
    listAsync100kBlockMs: {
      measures:
        'the same: the longest time that it blocks the event loop, without garbage collection',
      comparedTo: 'the longest time with garbage collection',
    },
    listOwnersAsync100kMb: {
      measures:
        '`listConnectionsAsync({ owners: true })` of 100,000 connections: memory above the start',
    },
    listOwnersAsync100kBlockMs: {
      measures:
        'the same: the longest time that it blocks the event loop, without garbage collection',
      comparedTo: 'the longest time with garbage collection',
    },
    socketSearch10k: {
      measures: 'search for the socket behind one handle, among 10,000: what Windows needs',
    },
    socketSearchAll10k: { measures: 'search for the sockets behind 10,000 handles in one call' },
  },
  'Opening and tuning': {
    connectVsNode: {
      measures: '`connect()` with an option before the first packet',
      comparedTo: '`net.connect()`',
    },
    listenVsNode: {
      measures: '`listen()` with an option before bind',
      comparedTo: '`server.listen()`',
    },
    tunePerConnection: {
      measures:
        'what `tuneSockets()` with `deadPeerTimeout` adds to a connection that opens and closes, both sides together',
      comparedTo: 'tuned and untuned connections',
    },
    tunePerRequest: {
      measures: 'an HTTP request of an agent that keeps its connection, after `tuneSockets()`',
      comparedTo: 'the same without `tuneSockets()`',
    },
  },
  'Supervision of idle connections, dead-peer timeout of 20 s': {
    supervision10k: {
      measures: '10,000 connections: share of one core, with the keepalive probes',
      comparedTo: NO_SUPERVISION,
    },
    supervision10kSliceMs: {
      measures: '10,000 connections: slices of the event loop, 99th percentile',
      comparedTo: 'the longest slice',
    },
    supervision100k: {
      measures:
        '100,000 connections, which share 19,500 descriptors: share of one core, with the keepalive probes',
      comparedTo: NO_SUPERVISION,
    },
    supervision100kSliceMs: {
      measures: '100,000 connections: slices of the event loop, 99th percentile',
      comparedTo: 'the longest slice',
    },
  },
  'Heartbeats over 10,000 connections': {
    heartbeatPerMessageNs: {
      measures: '`beat()` for a message, connections in random order',
      comparedTo: 'storing a number in as many objects',
    },
    heartbeatReceive: {
      measures: 'a byte that is echoed, on a socket whose heartbeat counts received bytes',
      comparedTo: 'the same without a heartbeat',
    },
    heartbeatIdleMsPerSecond: {
      unit: 'ms/s',
      measures: 'CPU time in a second in which no peer sends, interval 30 s, `send` does nothing',
      comparedTo: 'the same process without heartbeats',
    },
    heartbeatPingingMsPerSecond: {
      unit: 'ms/s',
      measures: 'the same, `send` writes a byte to the socket',
      comparedTo: 'the same with a `send` that does nothing',
    },
    heartbeatVsTimers: {
      measures: 'a message on each connection in a second, with pings and wake-ups',
      comparedTo: '`timer.refresh()` of a timer for each connection, without pings',
    },
    heartbeatBytes: { measures: 'heap of a heartbeat', comparedTo: 'heap of a timer' },
    heartbeatPingsPer20Ms: {
      measures: 'most pings in 20 ms, interval 2 s, all heartbeats made at once',
      comparedTo: 'pings spread evenly over the interval',
    },
  },
  'Metrics of 10,000 idle connections, sampled every 15 s': {
    metrics10k: {
      measures: '`TcpMetrics`: share of one core',
      comparedTo: 'the same process without metrics',
    },
    metrics10kSliceMs: {
      measures: 'slices of the event loop, 99th percentile',
      comparedTo: 'the longest slice',
    },
    metricsScrapeMs: { measures: '`metrics.text()`, one group of connections' },
  },
  'Loading, in a fresh process with `node:net` loaded': {
    load: {
      measures: "CPU time of `require('socket-options')`, in addition to an empty addon",
      comparedTo: 'the package and an empty addon',
    },
    loadImport: {
      measures: "CPU time of `import 'socket-options'`, in addition to an empty addon",
      comparedTo: 'the package and an empty addon',
    },
    loadHeartbeat: {
      measures: "CPU time of `require('socket-options/heartbeat')`, in addition to an empty addon",
      comparedTo: 'the package and an empty addon',
    },
    rss: {
      measures: 'resident memory of the package, in addition to an empty addon',
      comparedTo: 'the package and an empty addon',
    },
    prebuildKb: { measures: 'size of the prebuilt addon' },
  },
};

/** { title, rows: [name, row][] } in the order of the page. */
export const sections = Object.entries(SECTIONS).map(([title, rows]) => ({
  title,
  rows: Object.entries(rows),
}));

/** The names of figures of a report that have no row here. */
export function figuresWithoutRow(report) {
  const known = new Set(sections.flatMap(({ rows }) => rows.map(([name]) => name)));
  return Object.keys(report).filter((name) => !known.has(name));
}

/** The rows that a report has no number for. */
export function rowsWithoutFigure(report) {
  const names = sections.flatMap(({ rows }) => rows.map(([name]) => name));
  return names.filter((name) => !Number.isFinite(report[name]?.ratio ?? report[name]?.ours));
}
