// The help of socket-options connections.

export const help = `Usage: socket-options connections [options]

Lists the TCP connections of this system (on Linux: of this network namespace):
when the peer last answered, the round-trip time, retransmissions, queues, what
the kernel does next, and what is wrong. Sockets in LISTEN and TIME-WAIT are
only counted, unless you ask for them.

Which connections:
  --problems [names]    only those with a problem that is critical or a warning,
                        or only with these problems, separated by commas:
                        half-open, handshake-unanswered, accept-queue-full,
                        close-wait, window-closed, unread, lossy-path,
                        no-keepalive. An error if this system shows none of them
  --no-keepalive        only those whose keepalive is off. While data is in
                        flight, Linux does not report it
  --state <names>       only these states, separated by commas; the names of
                        ss(8), netstat(8) and the RFC are known (FIN_WAIT1)
  --all                 all states, also LISTEN and TIME-WAIT
  --port <numbers>      only connections with one of these ports at either end
  --local <addresses>   only these local addresses or prefixes: 10.0.0.0/8
  --peer <addresses>    only these addresses or prefixes of the peer. An IPv4
                        address also matches ::ffff:192.0.2.7
  --remote <addresses>  the same as --peer

An option with a list may be repeated: any of the values matches. Different
options must all match.

How they are shown:
  --sort <column>       problems, alive, rtt, retrans, unread, unacked,
                        received, sent, state or peer: the worst or greatest
                        first (default: problems; more than 2000 connections
                        come as they are read)
  --limit <n>           only the first n: 1 to 1000000
  --group-by <what>     one line for each peer (its address), state or process,
                        with counts, problems, the longest silence of a peer,
                        the median round-trip time and the queues. Not with
                        --watch
  --process             show which processes hold a connection; processes of
                        other users are visible to root only
  --watch               repeat; on a terminal, update the table in place
  --interval <seconds>  the time between two samples of --watch: 0.1 to 86400
                        (default: 1)
  --json                print one array, a connection or group a line, with all
                        fields; with --watch, one line { time, connections } per
                        sample. Times are in milliseconds. null: the system does
                        not report the value
  --fail-on-problems    exit with 3 if a selected connection has a problem that
                        is critical or a warning. Not with --watch

Columns (empty columns are left out; on a narrow terminal, others are shortened
or left out too, the peer, ALIVE and TIMER last):
  !         a problem that is critical or a warning; the reason is below
  ALIVE     time since the peer last sent data or an acknowledgement
  RTT       smoothed round-trip time; --watch draws the last eight as TREND
  RETRANS   retransmissions in a row now / since the connection was made
  UNREAD    bytes that the program here has not read
  UNACKED   bytes that the peer has not acknowledged, unsent bytes included
  RECEIVED  bytes received since the connection was made; SENT: bytes sent
  TIMER     what the kernel does next, and when:
    off                       nothing: keepalive is off
    first probe in 12 s       keepalive is on and sends its first probe
    probe 2 in 0.4 s          one probe is unanswered. The kernel sends the next
                              one, or closes the connection if no more are
                              allowed (it does not report the limit)
    ACK due in 0.2 s          data is in flight; without an ACK it is sent again
    retransmission 3 in 1.6 s two retransmissions are unanswered. Keepalive does
                              not run meanwhile
    window probe 1 in 0.2 s   the peer's program does not read, so its window
                              is closed; the kernel asks whether it has opened
    removed in 42 s           the connection is closed; the kernel forgets it

Below the table: the reason for each mark; programs with three or more
connections in CLOSE-WAIT (the peer has closed them, the program has not),
without a mark if it is less than 60 s ago; full accept queues; the number of
connections by state. What the system does not report is there, too; with --json
it is on stderr.

Keys of --watch: ? shows them all; q or Ctrl-C quits. If the output is not a
terminal, or TERM is dumb, --watch prints one line per connection and sample.
Set NO_COLOR to switch off colours.

Where Linux refuses netlink (gVisor, some containers), the list comes from
/proc/net/tcp, without ALIVE, RTT, retransmission totals and bytes, and without
the problems that follow from them.

Examples:
  socket-options connections --problems
  socket-options connections --group-by peer
  socket-options connections --port 5432,6432 --process --sort alive --limit 20
  socket-options connections --state close-wait --local 10.0.0.0/8
  socket-options connections --watch --json --peer 192.0.2.7 >> log
  socket-options connections --fail-on-problems --problems half-open >&2

Exit codes: 0 success, 1 the connections could not be listed or the problems not
be found here, 2 wrong arguments, 3 --fail-on-problems and a problem.
`;
