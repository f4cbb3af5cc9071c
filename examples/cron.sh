#!/bin/sh
# For cron, which mails what a job prints: the connections whose peer is gone (half-open), and those that the peer has
# closed and the program here has not (CLOSE-WAIT for a minute or more). Prints nothing if there are none. As root it
# names the processes of all users.
#
#   */5 * * * * root /usr/local/bin/cron.sh
#
# Needs jq. CONNECTIONS is the command, if it is not installed globally (npm install --global socket-options).

set -eu
${CONNECTIONS:-socket-options connections} --problems half-open,close-wait --process --json |
  jq --raw-output '
    .[]
    | .problems[] as $found
    | select($found.severity != "info" and ($found.problem | IN("half-open", "close-wait")))
    | "\(.localAddress):\(.localPort) - \(.remoteAddress):\(.remotePort)",
      "  \($found.problem): \($found.message)",
      (.owners // [] | .[] | "  \(.name) (\(.pid))")
  '
