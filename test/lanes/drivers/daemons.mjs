// Debian's servers. Each one runs as the user nobody, with its files in a folder of its own.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { MQTT_WEBSOCKET_PORT, now, PORTS, SERVER } from './address.mjs';

/** PostgreSQL and MariaDB do not run as root. */
const NOBODY = 65_534;
const AS_NOBODY = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', '--'];
const run = promisify(execFile);
const runAsNobody = (...args) => run('setpriv', [...AS_NOBODY, ...args]);

function writeLines(path, lines) {
  writeFileSync(path, `${lines.join('\n')}\n`);
}

/** Prepares the folder of each server, and returns its command line. */
const COMMANDS = {
  async postgres(folder, { postgres, initdb }) {
    await runAsNobody(
      ...[initdb, '--pgdata', folder, '--username', 'postgres', '--auth', 'trust'],
      ...['--no-locale', '--encoding', 'UTF8', '--no-sync'],
    );
    writeLines(join(folder, 'pg_hba.conf'), ['host all all 0.0.0.0/0 trust']);
    const settings = [`listen_addresses=${SERVER}`, 'unix_socket_directories=', 'fsync=off'];
    return [postgres, '-D', folder, ...settings.flatMap((setting) => ['-c', setting])];
  },
  async redis(folder, { redis }) {
    const settings = ['--bind', SERVER, '--protected-mode', 'no', '--save', ''];
    return [redis, ...settings, '--dir', folder];
  },
  async mariadb(folder, { mariadb, mariadbInstall }) {
    const common = ['--no-defaults', `--datadir=${folder}`];
    await runAsNobody(
      ...[mariadbInstall, ...common, '--skip-test-db', '--skip-name-resolve'],
      '--auth-root-authentication-method=normal',
    );
    // Its only account, root, may only connect from localhost.
    const settings = ['--skip-grant-tables', '--skip-name-resolve', `--bind-address=${SERVER}`];
    return [mariadb, ...common, ...settings, `--socket=${join(folder, 'socket')}`];
  },
  async mosquitto(folder, { mosquitto }) {
    const config = join(folder, 'mosquitto.conf');
    writeLines(config, [
      ...[`listener ${PORTS.mosquitto} ${SERVER}`, 'allow_anonymous true'],
      ...[`listener ${MQTT_WEBSOCKET_PORT} ${SERVER}`, 'protocol websockets'],
    ]);
    return [mosquitto, '-c', config];
  },
  async rabbitmq(folder, { rabbitmq }) {
    const [config, plugins] = ['rabbitmq.conf', 'plugins'].map((file) => join(folder, file));
    writeLines(config, [
      ...[`listeners.tcp.1 = ${SERVER}:${PORTS.rabbitmq}`, 'loopback_users = none'],
    ]);
    writeLines(plugins, ['[].']);
    return [
      ...['env', `HOME=${folder}`, `RABBITMQ_MNESIA_BASE=${folder}`, 'RABBITMQ_LOGS=-'],
      `RABBITMQ_LOG_BASE=${folder}`,
      ...[`RABBITMQ_CONFIG_FILE=${config}`, `RABBITMQ_ENABLED_PLUGINS_FILE=${plugins}`],
      ...['RABBITMQ_NODENAME=rabbit@localhost', rabbitmq],
    ];
  },
  async nats(_folder, { nats }) {
    return [nats, '--addr', SERVER, '--port', `${PORTS.nats}`];
  },
  async memcached(_folder, { memcached }) {
    return [memcached, '-l', SERVER, '-p', `${PORTS.memcached}`];
  },
  async etcd(folder, { etcd }) {
    const clients = `http://${SERVER}:${PORTS.etcd}`;
    return [
      ...[etcd, '--data-dir', folder, '--listen-client-urls', clients],
      ...['--advertise-client-urls', clients],
    ];
  },
  async beanstalkd(_folder, { beanstalkd }) {
    return [beanstalkd, '-l', SERVER, '-p', `${PORTS.beanstalkd}`];
  },
  /** Without a database, it answers questions about itself. */
  async slapd(folder, { slapd }) {
    const config = join(folder, 'slapd.conf');
    writeLines(config, []);
    return [slapd, '-f', config, '-h', `ldap://${SERVER}:${PORTS.slapd}`, '-d', '0'];
  },
  /** A server that does not run as root only accepts its own user, nobody, who has no shell: SFTP needs none. */
  async sshd(folder, { sshd, sshKeygen }) {
    const config = join(folder, 'sshd_config');
    for (const key of ['host', 'client']) {
      await runAsNobody(sshKeygen, '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key));
    }
    writeLines(config, [
      ...[`ListenAddress ${SERVER}:${PORTS.sshd}`, `HostKey ${join(folder, 'host')}`],
      ...[`AuthorizedKeysFile ${join(folder, 'client.pub')}`, 'StrictModes no'],
      // Without PAM, it takes an account that has no password for a locked one.
      ...['UsePAM yes', 'PidFile none', 'Subsystem sftp internal-sftp', 'MaxStartups 100'],
    ]);
    return [sshd, '-D', '-e', '-f', config];
  },
  async dovecot(folder, { dovecot }) {
    const config = join(folder, 'dovecot.conf');
    const mail = join(folder, 'mail');
    writeLines(config, [
      ...[`base_dir = ${folder}/run`, `state_dir = ${folder}`, 'log_path = /dev/stderr'],
      ...['protocols = imap', `listen = ${SERVER}`, 'ssl = no', 'disable_plaintext_auth = no'],
      ...['default_login_user = nobody', 'default_internal_user = nobody'],
      ...['default_internal_group = nogroup', `mail_location = maildir:${mail}/%u`],
      ...['passdb {', '  driver = static', '  args = nopassword=y', '}'],
      ...['userdb {', '  driver = static', `  args = uid=nobody gid=nogroup home=${mail}/%u`, '}'],
      ...['service imap-login {', '  chroot =', '  inet_listener imap {'],
      ...[
        `    port = ${PORTS.dovecot}`,
        '  }',
        '  inet_listener imaps {',
        '    port = 0',
        '  }',
        '}',
      ],
      ...['service anvil {', '  chroot =', '}', 'mail_max_userip_connections = 100'],
    ]);
    return [dovecot, '-F', '-c', config];
  },
  async vsftpd(folder, { vsftpd }) {
    const config = join(folder, 'vsftpd.conf');
    writeLines(config, [
      ...['background=NO', 'listen=YES', `listen_address=${SERVER}`],
      ...[`listen_port=${PORTS.vsftpd}`, 'run_as_launching_user=YES', 'anonymous_enable=YES'],
      ...['no_anon_password=YES', `anon_root=${folder}`, `secure_chroot_dir=${folder}`],
      ...['seccomp_sandbox=NO', 'xferlog_enable=NO'],
    ]);
    // It reads no file of another user.
    chownSync(config, NOBODY, NOBODY);
    return [vsftpd, config];
  },
};

const TITLES = {
  ...{ postgres: 'PostgreSQL', redis: 'Redis', mariadb: 'MariaDB', mosquitto: 'Mosquitto' },
  ...{ rabbitmq: 'RabbitMQ', nats: 'NATS', memcached: 'memcached', etcd: 'etcd' },
  ...{ beanstalkd: 'beanstalkd', slapd: 'OpenLDAP', sshd: 'OpenSSH', dovecot: 'Dovecot' },
  vsftpd: 'vsftpd',
};

/** The version of the package that has the program. */
async function versionOf(program) {
  const { stdout: owner } = await run('dpkg-query', ['--search', program]);
  const { stdout: version } = await run('dpkg-query', [
    ...['--show', '--showformat', `\${source:Upstream-Version}`, owner.split(':')[0]],
  ]);
  return /^[\d.]+(p\d+)?/.exec(version)[0];
}

async function startDaemon(name, data, programs) {
  const folder = join(data, name);
  mkdirSync(folder);
  chownSync(folder, NOBODY, NOBODY);
  const command = await COMMANDS[name](folder, programs);
  const log = join(data, `${name}.log`);
  const out = openSync(log, 'w');
  const stdio = ['ignore', out, out];
  const child = spawn('setpriv', [...AS_NOBODY, ...command], { cwd: folder, stdio });
  await waitForPort({ name, child, log });
  return child;
}

/** The log says why a server did not start. */
async function waitForPort({ name, child, log }) {
  for (const deadline = now() + 60_000; now() < deadline; await sleep(50)) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    const socket = net.connect(PORTS[name], SERVER);
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
  }
  throw new Error(`${name} does not answer:\n${readFileSync(log, 'utf8').slice(-2_000)}`);
}

export const DAEMONS = Object.keys(COMMANDS);

/** Starts the servers. Returns their processes, and their versions by title. */
export async function startDaemons(names, data, programs) {
  const children = await Promise.all(names.map((name) => startDaemon(name, data, programs)));
  const versions = await Promise.all(
    names.map(async (name) => [TITLES[name], await versionOf(programs[name])]),
  );
  return { children, versions: Object.fromEntries(versions) };
}
