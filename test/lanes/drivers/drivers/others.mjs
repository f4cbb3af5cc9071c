// Mail, files, directories and devices. drivers.mjs says what a driver is.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NPM_PORTS, PORTS } from '../address.mjs';

export const OTHERS = {
  imapflow: async (options) => {
    const { ImapFlow } = await import('imapflow');
    // A command returns false when its connection fails.
    const succeed = async (command) => {
      const result = await command;
      if (!result) throw new Error(`returns ${result}`);
    };
    return async (tell, _index, host) => {
      const client = new ImapFlow({
        ...{ host, port: PORTS.dovecot, auth: { user: 'test', pass: 'test' }, logger: false },
        ...options,
      });
      for (const event of ['error', 'close']) client.on(event, tell(event));
      await client.connect();
      await client.mailboxOpen('INBOX');
      return {
        ask: () => succeed(client.status('INBOX', { messages: true })),
        wait: () => succeed(client.idle()),
      };
    };
  },

  nodemailer: async (options) => {
    const { default: nodemailer } = await import('nodemailer');
    return async (tell, _index, host) => {
      const pool = nodemailer.createTransport({
        ...{ host, port: NPM_PORTS.smtp, pool: true, maxConnections: 1, ...options },
      });
      pool.on('error', tell('error'));
      const send = (text) => pool.sendMail({ from: 'a@example.com', to: 'b@example.com', text });
      return { ask: () => send('ask'), wait: () => send('wait') };
    };
  },

  'basic-ftp': async () => {
    const { Client } = await import('basic-ftp');
    return async (_tell, _index, host) => {
      const client = new Client();
      await client.access({ host, port: PORTS.vsftpd });
      return { ask: () => client.pwd(), wait: null };
    };
  },

  ssh2: async (options) => {
    const { default: ssh2 } = await import('ssh2');
    const privateKey = readFileSync(join(process.env.SERVERS_DATA, 'sshd', 'client'));
    return async (tell, _index, host) => {
      const client = new ssh2.Client();
      for (const event of ['error', 'close']) client.on(event, tell(event));
      await new Promise((resolve, reject) => {
        client.once('ready', resolve).once('error', reject);
        client.connect({ host, port: PORTS.sshd, username: 'nobody', privateKey, ...options });
      });
      const sftp = await promisify(client.sftp.bind(client))();
      return { ask: () => promisify(sftp.stat.bind(sftp))('/'), wait: null };
    };
  },

  ldapts: async (options) => {
    const { Client } = await import('ldapts');
    return async (_tell, _index, host) => {
      const client = new Client({ url: `ldap://${host}:${PORTS.slapd}`, ...options });
      return { ask: () => client.search('', { scope: 'base' }), wait: null };
    };
  },

  'modbus-serial': async (options) => {
    const { default: ModbusRTU } = await import('modbus-serial');
    return async (tell, _index, host) => {
      const client = new ModbusRTU();
      if (options !== undefined) client.setTimeout(options.timeout);
      for (const event of ['error', 'close']) client.on(event, tell(event));
      await client.connectTCP(host, { port: NPM_PORTS.modbus });
      client.setID(1);
      const read = (register) => client.readHoldingRegisters(register, 1);
      return { ask: () => read(0), wait: () => read(1) };
    };
  },
};
